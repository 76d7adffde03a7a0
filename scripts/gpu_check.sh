#!/usr/bin/env bash
# Checks the CUDA backend on a machine with a GPU, without network, in minutes: parity tests, then the same merge on the CPU
# and on the GPU. Each step prints a line as it ends and is added to FOLDER/gpu_check.json. Builds what is not there; in a bundle
# that scripts/portable.sh packed all of it is.
#
#   scripts/gpu_check.sh [--model NAME] [--cuda-libs DIR] [FOLDER]
#
#   NAME: of koine synth, default large-v3 (needs 25 GB of disk); DIR: where CUDA's and NCCL's libraries lie, if the loader does
#   not know; FOLDER: where models and results go, default build/gpu_check
#
# Exit 0: all steps passed; 1: one failed, or a solver of the host was needed in the standard merge; 3: there is no GPU.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
# shellcheck source=scripts/lib/common.sh
. "$HERE/lib/common.sh"
# shellcheck source=scripts/lib/build.sh
. "$HERE/lib/build.sh"

BUILD=$ROOT/build/cuda
FIGURES=$HERE/lib/gpu_figures.py
FOLDER=$ROOT/build/gpu_check
MODEL=large-v3
CUDA_LIBS=""

usage() { sed -n '2,12s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"; }

# note STEP SECONDS [KEY=VALUE...]: a line here, and one more step in the JSON.
note() { python3 "$FIGURES" note "$FOLDER/gpu_check.json" "$@"; }

require_gpu() {
  local found=""
  if command -v nvidia-smi >/dev/null; then found=$(nvidia-smi -L 2>/dev/null) || found=""; fi
  found=${found%%$'\n'*}
  if [[ $found != GPU* ]]; then
    printf 'gpu_check.sh: there is no GPU here (nvidia-smi lists none); run this on a machine that has one\n' >&2
    exit 3
  fi
  command -v python3 >/dev/null || die "python3 is not here; it writes the JSON and reads the reports"
  note device 0 "gpu=$found" "driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | sort -u | tr '\n' ' ')"
}

build_if_needed() {
  local start=$SECONDS
  if [ ! -x "$BUILD/koine" ] || [ ! -e "$BUILD/libkoine_cuda.so" ] || [ ! -x "$BUILD/tests/parity/parity_tests" ]; then
    quietly "$BUILD/configure.log" cmake --preset cuda "-DCMAKE_CUDA_ARCHITECTURES=$(cuda_architecture)" ||
      die "CMake could not configure"
    quietly "$BUILD/build.log" cmake --build --preset cuda --parallel "$(cores)" --target koine koine_cuda cuda_tests parity_tests ||
      die "the build failed"
  fi
  note build "$(seconds_since "$start")" "commit=$("$BUILD/koine" --version)"
}

# run_cases NAME PROGRAM: every case must run and pass. What only an emulated device can do is left out.
run_cases() {
  local start=$SECONDS log=$FOLDER/$1.log status=0
  KOINE_CUDA_LIBRARY=$BUILD/libkoine_cuda.so "$2" --gtest_filter=-'*WhatASolverSays*' >"$log" 2>&1 || status=$?
  local passed skipped
  passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log")
  skipped=$(grep -c '^\[  SKIPPED \] .* (' "$log" || true)
  note "$1" "$(seconds_since "$start")" "passed=${passed:-0}" "skipped=$skipped" "status=$status"
  if [ "$status" -ne 0 ] || [ "$skipped" -ne 0 ]; then
    tail -n 40 "$log" >&2
    die "$1: not every case ran and passed; the whole log is $log"
  fi
}

# merge NAME ARGUMENT...: a fresh run folder FOLDER/NAME.
merge() {
  local name=$1 start=$SECONDS
  shift
  rm -rf "${FOLDER:?}/$name"
  "$BUILD/koine" merge "$FOLDER/models/lors.yaml" --output "$FOLDER/$name" --set out_dtype=float16 --json "$@" \
    >"$FOLDER/$name.json" 2>"$FOLDER/$name.log" || {
    cat "$FOLDER/$name.log" >&2
    die "the merge '$name' failed"
  }
  python3 "$FIGURES" merged "$FOLDER/gpu_check.json" "$FOLDER/$name" "$(seconds_since "$start")"
}

# with_sanitizer: the kernels' cases once more, slowly, under compute-sanitizer where that is here and takes this device.
with_sanitizer() {
  local start=$SECONDS log=$FOLDER/sanitizer.log status=0
  if ! command -v compute-sanitizer >/dev/null; then
    note sanitizer 0 "found=false"
    return
  fi
  timeout 240 compute-sanitizer --error-exitcode 9 "$BUILD/tests/parity/cuda/cuda_tests" >"$log" 2>&1 || status=$?
  note sanitizer "$(seconds_since "$start")" "status=$status" "errors=$(sed -n 's/.*ERROR SUMMARY: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)"
  [ "$status" -eq 0 ] || grep -q 'Device not supported' "$log" || die "compute-sanitizer: status $status, see $log"
}

# gram_rates: both ways to sum a Gram matrix, and the one that is taken on this device.
gram_rates() {
  local start=$SECONDS log=$FOLDER/gram_rates.log rates
  KOINE_CUDA_LIBRARY=$BUILD/libkoine_cuda.so "$BUILD/tests/parity/parity_tests" --gtest_filter='DeviceGram.Rates' >"$log" 2>&1 ||
    die "measuring Gram matrices failed: see $log"
  rates=$(sed -n 's/^gram rates: //p' "$log")
  [ -n "$rates" ] || die "the rates of Gram matrices were not measured: see $log"
  # shellcheck disable=SC2086 # words of it
  note "gram rates" "$(seconds_since "$start")" $rates
}

# over_nccl PROCESSES: a small merge whose statistics NCCL adds up.
over_nccl() {
  local start=$SECONDS log=$FOLDER/nccl$1.log
  [ -e "$FOLDER/tiny/lors.yaml" ] ||
    "$BUILD/koine" synth --quiet --model tiny --experts 2 --output "$FOLDER/tiny" >/dev/null || die "koine synth failed"
  rm -rf "${FOLDER:?}/nccl$1"
  mpirun -n "$1" "$BUILD/koine" merge "$FOLDER/tiny/lors.yaml" --output "$FOLDER/nccl$1" --backend cuda --transport nccl -v \
    >/dev/null 2>"$log" || die "NCCL with $1 process(es) failed: see $log"
  grep -q 'transport nccl' "$log" || die "NCCL was not used: see $log"
  note "nccl on $1" "$(seconds_since "$start")" "processes=$1"
}

make_models() {
  local start=$SECONDS
  if [ ! -e "$FOLDER/models/lors.yaml" ]; then
    "$BUILD/koine" synth --quiet --model "$MODEL" --experts 5 --dtype fp16 --output "$FOLDER/models" >/dev/null ||
      die "koine synth failed"
  fi
  note synth "$(seconds_since "$start")" "model=$MODEL"
}

compare_with_cpu() {
  local start=$SECONDS
  "$BUILD/koine" diff --json "$FOLDER/cpu" "$FOLDER/cuda" >"$FOLDER/diff.json" 2>/dev/null || [ $? -eq 5 ] ||
    die "koine diff failed"
  python3 "$FIGURES" compare "$FOLDER/gpu_check.json" "$FOLDER/diff.json" "$(seconds_since "$start")" ||
    die "fewer than 99.9 % of the entries are the CPU's"
}

# same_files NAME A B: the checksums of all files that may not differ.
same_files() {
  cmp -s "$FOLDER/$2/SHA256SUMS" "$FOLDER/$3/SHA256SUMS" || die "$1: $2 and $3 differ"
  note "$1" 0 "equal=true"
}

main() {
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help)
        usage
        exit 0
        ;;
      --model)
        MODEL=${2:?--model needs a name}
        shift
        ;;
      --cuda-libs)
        CUDA_LIBS=${2:?--cuda-libs needs a folder}
        shift
        ;;
      -*) die "unknown option $1; see --help" ;;
      *) FOLDER=$1 ;;
    esac
    shift
  done
  cd "$ROOT"
  export CUDA_LIBS PORTABLE=$ROOT
  # shellcheck source=/dev/null
  if [ -e "$ROOT/env.sh" ]; then . "$ROOT/env.sh"; elif [ -n "$CUDA_LIBS" ]; then
    export LD_LIBRARY_PATH="$CUDA_LIBS${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
  mkdir -p "$FOLDER"
  rm -f "$FOLDER/gpu_check.json"
  require_gpu
  build_if_needed
  run_cases kernels "$BUILD/tests/parity/cuda/cuda_tests"
  run_cases lanes "$BUILD/tests/parity/parity_tests"
  gram_rates
  make_models
  merge cuda --backend cuda
  python3 "$FIGURES" solvers "$FOLDER/gpu_check.json" "$FOLDER/cuda" || die "a solver of the host was needed"
  merge again --backend cuda
  same_files "same bytes twice" cuda again
  merge lane --backend cuda --threads 1 # nothing else on the device: what its kernels take
  same_files "same bytes on one thread" cuda lane
  python3 "$HERE/lib/gpu_torch.py" "$FOLDER/gpu_check.json" "$FOLDER/models" "$FOLDER/lane" || die "the comparison with PyTorch failed"
  merge cpu --backend cpu
  compare_with_cpu
  if command -v mpirun >/dev/null; then
    prepare_mpi
    rm -rf "${FOLDER:?}/ranks"
    mpirun -n 2 "$BUILD/koine" merge "$FOLDER/models/lors.yaml" --output "$FOLDER/ranks" --set out_dtype=float16 \
      --backend cuda --transport mpi >/dev/null 2>"$FOLDER/ranks.log" || die "two processes failed: see $FOLDER/ranks.log"
    same_files "same bytes on two processes" cuda ranks
    over_nccl 1
    local gpus
    gpus=$(nvidia-smi -L | grep -c '^GPU')
    if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then gpus=$(tr ',' '\n' <<<"$CUDA_VISIBLE_DEVICES" | grep -c .); fi
    if [ "$gpus" -gt 1 ]; then over_nccl "$gpus"; fi
  fi
  with_sanitizer
  say "all steps passed; $FOLDER/gpu_check.json has the figures"
}

main "$@"
