# shellcheck shell=bash
# Configuring and building. Sourced after common.sh.

# Objects that ccache keeps serve every checkout of the project: paths below it are taken relative.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1

find_nvcc() {
  local found
  found=$(command -v nvcc || true)
  [ -n "$found" ] || found=$(ls "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" 2>/dev/null || true)
  echo "$found"
}

# cuda_architecture: of the first GPU here, else of an H100/H200 (90).
cuda_architecture() {
  local found=""
  if command -v nvidia-smi >/dev/null; then
    found=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -cd '0-9')
  fi
  echo "${found:-90}"
}

# quietly LOG COMMAND...: shows the log's end only where the command fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    warn "the whole log is $log"
    return 1
  fi
}
