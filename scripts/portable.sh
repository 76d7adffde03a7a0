#!/usr/bin/env bash
# Packs what scripts/gpu_check.sh needs on a machine with a GPU that has no MPI, HDF5 or network: the program, its CUDA library, the
# tests of both, Open MPI, and every shared library but those of the C library, of CUDA and of NCCL. At most 50 MB.
#
#   scripts/portable.sh [OUTPUT.tar.xz]        default: build/koine-portable.tar.xz; both presets (cpu, cuda) are built
#
# There: tar -xf koine-portable.tar.xz && koine-portable/scripts/gpu_check.sh --cuda-libs /usr/local/cuda/lib64
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
# shellcheck source=scripts/lib/common.sh
. "$HERE/lib/common.sh"

MOST=$((50 * 1000 * 1000)) # bytes of the archive
# Of the machine that it is unpacked on: glibc, the driver, CUDA and NCCL.
THEIRS='^(linux-vdso|ld-linux.*|libc|libm|libpthread|libdl|librt|libresolv|libutil|libmvec|libcuda|libcudart|libcublas|libcublasLt|libcusolver|libcusparse|libnvJitLink|libnvidia.*|libnccl)\.so'

usage() { sed -n '2,7s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"; }

# needed FILE...: the shared libraries that they load, as paths, without THEIRS.
needed() {
  local missing
  missing=$(ldd "$@" | awk '/=> not found/ {print $1}' | sort -u | grep -Ev "$THEIRS" || true)
  [ -z "$missing" ] || die "not to be found here: $missing"
  ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}' | sort -u | grep -Ev "$THEIRS" | awk '{print $2}'
}

# program PATH: of the CUDA build where that has it, else of the CPU build.
program() {
  local preset
  for preset in cuda cpu; do
    if [ -e "$ROOT/build/$preset/$1" ]; then
      echo "$ROOT/build/$preset/$1"
      return
    fi
  done
  die "$1 is in neither build/cuda nor build/cpu; build it first"
}

# copy_program PATH [FROM]: to where gpu_check.sh looks for it.
copy_program() {
  install -D --strip "${2:-$(program "$1")}" "$BUNDLE/build/cuda/$1"
}

# plugins FOLDER TO: of Open MPI or PMIx, those that need no library that the program itself does not.
plugins() {
  local file library
  mkdir -p "$2"
  for file in "$1"/*.so; do
    for library in $(needed "$file"); do
      [ -e "$BUNDLE/lib/${library##*/}" ] || continue 2
    done
    install --strip "$file" "$2/"
  done
}

# warn_if_stale: a program of another commit than the tree's does not check what the tree has.
warn_if_stale() {
  local built here
  built=$("$(program koine)" --version | sed -n 's/.*(\([0-9a-f]*\).*/\1/p')
  here=$(git -C "$ROOT" rev-parse HEAD 2>/dev/null) || return 0
  [[ -n $built && $here == "$built"* ]] || warn "koine was built of commit ${built:-unknown}, the tree is at $here"
}

pack_programs() {
  warn_if_stale
  copy_program koine
  copy_program tests/parity/parity_tests
  copy_program libkoine_cuda.so "$ROOT/build/cuda/libkoine_cuda.so"
  copy_program tests/parity/cuda/cuda_tests "$ROOT/build/cuda/tests/parity/cuda/cuda_tests"
  local file
  for file in scripts/gpu_check.sh scripts/lib/common.sh scripts/lib/build.sh scripts/lib/gpu_steps.sh scripts/lib/gpu_figures.py scripts/lib/gpu_torch.py packaging/smoke_test.sh; do
    install -D "$ROOT/$file" "$BUNDLE/$file"
  done
}

pack_libraries() {
  local mpirun library openmpi pmix
  mpirun=$(readlink -f "$(command -v mpirun)")
  install -D --strip "$mpirun" "$BUNDLE/bin/mpirun"
  openmpi=$(dirname "$(ldconfig -p | awk '/libmpi\.so\.40/ && !found {found = $NF} END {print found}')")
  pmix=$(ldconfig -p | awk '/libpmix\.so\.2/ && !found {found = $NF} END {print found}')
  # mca_common_*: what several of Open MPI's plugins share.
  for library in $(needed "$mpirun" "$BUNDLE"/build/cuda/koine "$BUNDLE"/build/cuda/tests/parity/parity_tests \
    "$BUNDLE"/build/cuda/tests/parity/cuda/cuda_tests "$BUNDLE"/build/cuda/libkoine_cuda.so "$pmix") "$pmix" \
    "$openmpi"/libmca_common_{sm,ompio,monitoring}.so.*[0-9]; do
    install -D --strip "$(readlink -f "$library")" "$BUNDLE/lib/${library##*/}"
  done
  plugins "$(dirname "$(find "$openmpi/" -name mca_pml_ob1.so | head -n 1)")" "$BUNDLE/lib/openmpi"
  plugins "$(dirname "$(find "$(dirname "$(readlink -f "$pmix")")/" -name 'pmix_mca_*.so' | head -n 1)")" "$BUNDLE/lib/pmix"
  mkdir -p "$BUNDLE/share"
  cp -r /usr/share/openmpi "$BUNDLE/share/openmpi"
}

main() {
  case "${1:-}" in
    -h | --help)
      usage
      exit 0
      ;;
    -*) die "unknown option $1; see --help" ;;
  esac
  local archive=${1:-$ROOT/build/koine-portable.tar.xz} scratch size
  scratch=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$scratch'" EXIT
  BUNDLE=$scratch/koine-portable
  pack_programs
  pack_libraries
  install "$ROOT/packaging/portable_env.sh" "$BUNDLE/env.sh"
  tar -C "$scratch" --owner=0 --group=0 --sort=name -cf - koine-portable | xz -T "$(cores)" -6 >"$archive"
  size=$(stat -c %s "$archive")
  [ "$size" -le "$MOST" ] || die "$archive has $size bytes, more than $MOST"
  say "$archive ($((size / 1000000)) MB)"
}

main "$@"
