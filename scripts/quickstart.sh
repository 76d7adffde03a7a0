#!/usr/bin/env bash
# Installs what is missing, builds koine, makes a small Whisper base and five experts, merges them on two MPI
# processes, verifies and exports the result. The same again takes seconds.
#
#   scripts/quickstart.sh [FOLDER]      FOLDER: where models and results go (default: ./quickstart)
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
# shellcheck source=scripts/lib/common.sh
. "$HERE/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$HERE/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$HERE/lib/build.sh"

BUILD=$ROOT/build/quickstart
PROCESSES=2

usage() { sed -n '2,5s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"; }

# build_program: koine alone, optimised; the CUDA backend beside it where there is a CUDA toolkit.
build_program() {
  local flags=(-DCMAKE_BUILD_TYPE=Release -DKOINE_TESTS=OFF -DKOINE_PRECOMPILE=ON) nvcc
  nvcc=$(find_nvcc)
  if [ -n "$nvcc" ]; then
    say "CUDA toolkit found ($nvcc): the CUDA backend is built too, and used where there is a GPU"
    flags+=(-DKOINE_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=$(cuda_architecture)")
  else
    say "no CUDA toolkit found: this is the CPU build"
    flags+=(-DKOINE_CUDA=OFF)
  fi
  quietly "$BUILD/configure.log" cmake -S "$ROOT" -B "$BUILD" -G Ninja "${flags[@]}" || die "CMake could not configure"
  quietly "$BUILD/build.log" cmake --build "$BUILD" --target koine --parallel "$(cores)" || die "the build failed"
}

# shown COMMAND...: what it says, without its advice on what to type next: that comes at the end.
shown() { "$@" 2>&1 >/dev/null | sed '/^next: /d'; }

# merge_and_check FOLDER: every command goes on where it stopped, or finds its work done.
merge_and_check() {
  local folder=$1 koine=$BUILD/koine
  shown "$koine" synth --model base --experts 5 --output "$folder/models"
  shown mpirun -n "$PROCESSES" "$koine" merge "$folder/models/lors.yaml" --output "$folder/merged"
  shown "$koine" verify "$folder/merged"
  shown "$koine" export "$folder/merged" --format hf --output "$folder/merged-hf"
}

tell() {
  local folder=$1
  cat <<TEXT

Done in $SECONDS s. Everything lies in $folder:
  models/        a synthetic Whisper base, five experts and lors.yaml, the recipe
  merged/        the merged model as HDF5 (model.h5), report.html to open in a browser, checksums, manifest
  merged-hf/     the same as a Hugging Face checkpoint
The program is $BUILD/koine.

Next:
  export PATH="$BUILD:\$PATH"
  koine inspect "$folder/merged-hf"
  mpirun -n 2 koine merge "$folder/models/lors.yaml" --set parameters.rank=16 --output "$folder/rank16"
  koine diff "$folder/merged" "$folder/rank16"
docs/tutorial.md goes on from here.
TEXT
}

main() {
  case "${1:-}" in
    -h | --help)
      usage
      exit 0
      ;;
    -*) die "unknown option $1; see --help" ;;
  esac
  local folder=${1:-quickstart}
  prepare_mpi
  step "packages"
  install_packages build
  step "build (minutes the first time)"
  local start=$SECONDS
  build_program
  say "built in $(seconds_since "$start") s"
  step "synthesise, merge on $PROCESSES processes, verify, export"
  mkdir -p "$folder"
  merge_and_check "$(cd "$folder" && pwd)"
  tell "$(cd "$folder" && pwd)"
}

main "$@"
