#!/usr/bin/env bash
# Checks the CUDA backend on a machine with a GPU, without network, in less than ten minutes: parity tests, NCCL, the same merge on
# the GPU and on the CPU, compute-sanitizer, PyTorch. Says what begins, prints a line of figures as each step ends and adds it to
# FOLDER/gpu_check.json; a step that fails does not keep the others from being done. Builds what is not there; in a bundle that
# scripts/portable.sh packed all of it is.
#
#   scripts/gpu_check.sh [--model NAME] [--cuda-libs DIR]... [--json FILE] [--seconds N] [FOLDER]
#
#   NAME: of koine synth, default large-v3 (needs 26 GB of disk); DIR: where CUDA's or NCCL's libraries lie, if the loader does not
#   know (those of Python's packages nvidia-* are looked at too); FILE: another place for the JSON; N: what has not begun by then, the
#   build not counted, is left out (570); FOLDER: where models and results go, default build/gpu_check
#
# Exit 0: all steps passed; 1: one failed or was left out, or a solver of the host was needed in the standard merge; 3: there is no GPU.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
# shellcheck source=scripts/lib/common.sh
. "$HERE/lib/common.sh"
# shellcheck source=scripts/lib/build.sh
. "$HERE/lib/build.sh"
# shellcheck source=scripts/lib/gpu_steps.sh
. "$HERE/lib/gpu_steps.sh"

BUILD=$ROOT/build/cuda
FOLDER=$ROOT/build/gpu_check
JSON=""
MODEL=large-v3
CUDA_LIBS=""
LIMIT=570
FAILED=()
THEIR_LIBRARIES=${LD_LIBRARY_PATH:-} # what other programs than ours are to be run with

usage() { sed -n '2,14s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"; }

# attempt NAME COMMAND...: one step; where it fails, or the time is over, that is noted.
attempt() {
  local name=$1 status=0 begun=$SECONDS
  shift
  say "== $name ($SECONDS s)"
  if [ "$SECONDS" -ge "$LIMIT" ]; then
    status=124
  else
    set +e
    (
      set -e
      "$@"
    )
    status=$?
    set -e
  fi
  [ "$status" -ne 0 ] || return 0
  FAILED+=("$name")
  note "$name: failed" "$(seconds_since "$begun")" "status=$status"
}

# within SECONDS COMMAND...: ends it after so long, or when the time is over; exit 124 then.
within() {
  local most=$1 left=$((LIMIT - SECONDS))
  shift
  if [ "$left" -lt "$most" ]; then most=$((left > 1 ? left : 1)); fi
  timeout --foreground -k 5 "$most" "$@" </dev/null
}

read_options() {
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help)
        usage
        exit 0
        ;;
      --model) MODEL=${2:?--model needs a name} && shift ;;
      --cuda-libs) CUDA_LIBS+=${CUDA_LIBS:+:}$(realpath -m "${2:?--cuda-libs needs a folder}") && shift ;;
      --json) JSON=$(realpath -m "${2:?--json needs a file}") && shift ;;
      --seconds) LIMIT=${2:?--seconds needs a number} && shift ;;
      -*) die "unknown option $1; see --help" ;;
      *) FOLDER=$(realpath -m "$1") ;;
    esac
    shift
  done
}

# Ours first, then the folders that were named, then those of Python's packages.
set_library_path() {
  local found
  found=$(python3 "$HERE/lib/gpu_figures.py" libraries 2>/dev/null) || found=""
  CUDA_LIBS+=${CUDA_LIBS:+${found:+:}}$found
  export CUDA_LIBS PORTABLE=$ROOT
  # shellcheck source=/dev/null
  if [ -e "$ROOT/env.sh" ]; then . "$ROOT/env.sh"; elif [ -n "$CUDA_LIBS" ]; then
    export LD_LIBRARY_PATH="$CUDA_LIBS${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
}

check_kernels() {
  attempt kernels run_cases kernels "$BUILD/tests/parity/cuda/cuda_tests"
  attempt lanes run_cases lanes "$BUILD/tests/parity/parity_tests"
  attempt "gram rates" gram_rates
}

check_merges() {
  attempt synth make_models
  attempt "merge cuda" merge cuda --backend cuda
  attempt solvers within 30 python3 "$FIGURES" solvers "$JSON" "$FOLDER/cuda"
  attempt "two processes" two_processes
  attempt "merge again" merge_again
  attempt "merge lane" merge_lane
  attempt "merge cpu" merge cpu --backend cpu
  attempt "against the CPU" compare_with_cpu
  attempt "in the band" recomputed_by_cpu
  rm -rf "${FOLDER:?}/cpu"
}

check_nccl() {
  local gpus
  gpus=$(nvidia-smi -L | grep -c '^GPU') || gpus=1
  if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then gpus=$(tr ',' '\n' <<<"$CUDA_VISIBLE_DEVICES" | grep -c .); fi
  attempt "nccl on 1" over_nccl 1
  if [ "$gpus" -gt 1 ]; then attempt "nccl on $gpus" over_nccl "$gpus"; fi
}

main() {
  read_options "$@"
  [[ $LIMIT =~ ^[0-9]+$ ]] || die "--seconds $LIMIT: expected a whole number"
  trap 'exit 130' INT
  cd "$ROOT"
  JSON=${JSON:-$FOLDER/gpu_check.json}
  mkdir -p "$FOLDER" "$(dirname "$JSON")"
  rm -f "$JSON"
  require_gpu
  set_library_path
  prepare_mpi
  build_if_needed
  SECONDS=0 # the limit is the checks', not the build's
  attempt libraries note_libraries
  check_kernels
  check_nccl
  attempt storage storage_rates
  check_merges
  attempt pytorch with_pytorch
  attempt sanitizer with_sanitizer memcheck cuda_tests "$BUILD/tests/parity/cuda/cuda_tests"
  attempt "sanitizer, races" with_sanitizer racecheck cuda_tests "$BUILD/tests/parity/cuda/cuda_tests"
  attempt "sanitizer, lanes" with_sanitizer memcheck parity_tests "$BUILD/tests/parity/parity_tests" \
    --gtest_filter='*DeviceTensor*/6:*DeviceMerge*/0:*AreTheHosts/0'
  if [ ${#FAILED[@]} -gt 0 ]; then die "failed or left out: $(printf '%s; ' "${FAILED[@]}")the figures are in $JSON"; fi
  say "all steps passed; $JSON has the figures"
}

main "$@"
