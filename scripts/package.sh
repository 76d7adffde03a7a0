#!/usr/bin/env bash
# Installs what is missing, builds koine and packs it: koine_*.deb, the program, and libkoine-dev_*.deb for C++ projects.
#
#   scripts/package.sh [--output FOLDER] [-DNAME=VALUE ...]      FOLDER: where they go (default: build/package); -D is CMake's
#   scripts/package.sh --packages                                only installs what is missing
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
# shellcheck source=scripts/lib/common.sh
. "$HERE/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$HERE/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$HERE/lib/build.sh"
# shellcheck source=scripts/lib/debian.sh
. "$HERE/lib/debian.sh"

BUILD=$ROOT/build/package

usage() { sed -n '2,5s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"; }

main() {
  local only_install=no output=$BUILD flags=(-DCMAKE_BUILD_TYPE=Release -DKOINE_TESTS=OFF -DKOINE_PRECOMPILE=ON -DKOINE_CUDA=OFF)
  while [ $# -gt 0 ]; do
    case "$1" in
      -h | --help)
        usage
        exit 0
        ;;
      --output)
        [ $# -ge 2 ] || die "--output takes a folder"
        output=$2
        shift
        ;;
      --packages) only_install=yes ;;
      -D*) flags+=("$1") ;;
      *) die "unknown option $1; see --help" ;;
    esac
    shift
  done
  step "packages"
  install_packages build package
  [ "$only_install" = no ] || exit 0
  step "build and pack"
  quietly "$BUILD/configure.log" cmake -S "$ROOT" -B "$BUILD" -G Ninja "${flags[@]}" || die "CMake could not configure"
  make_packages "$BUILD" "$output"
}

main "$@"
