#!/usr/bin/env bash
# Installs what is missing, builds, runs the tests. The last line says how many passed, failed and were skipped.
#
#   scripts/test.sh            the CPU build and all its tests, the CUDA build where nvcc is found, unit, format and
#                              command tests with AddressSanitizer and UBSan, clang-tidy on what the last commit changed
#   scripts/test.sh --full     also ThreadSanitizer, clang-tidy on every file, every header compiled alone, and the Debian
#                              package in a bare root
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
# shellcheck source=scripts/lib/common.sh
. "$HERE/lib/common.sh"
# shellcheck source=scripts/lib/packages.sh
. "$HERE/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
. "$HERE/lib/build.sh"
# shellcheck source=scripts/lib/tally.sh
. "$HERE/lib/tally.sh"
# shellcheck source=scripts/lib/tidy.sh
. "$HERE/lib/tidy.sh"

FULL=no

usage() { sed -n '2,7s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"; }

# configure PRESET [FLAG...], build PRESET [TARGET...]: a failure is counted.
configure() {
  local preset=$1
  shift
  quietly "build/$preset/configure.log" cmake --preset "$preset" "$@" || {
    failed "configuring $preset"
    return 1
  }
}

build() {
  local preset=$1 start=$SECONDS
  shift
  quietly "build/$preset/build.log" cmake --build --preset "$preset" --parallel "$(cores)" --target "$@" || {
    failed "building $preset"
    return 1
  }
  say "built $preset in $(seconds_since "$start") s"
}

# run_tests PRESET [LABELS]: LABELS is a regular expression over ctest's labels.
run_tests() {
  local preset=$1 labels=${2:-} start=$SECONDS status=0
  local junit=$ROOT/build/$preset/junit.xml
  rm -f "$junit"
  # One more than cores: the longest tests mostly wait, for a Slurm daemon, a deadline or a signal.
  ctest --preset "$preset" --parallel "$(($(cores) + 1))" --output-junit "$junit" ${labels:+-L "$labels"} || status=$?
  count_ctest "$preset" "$junit" "$status"
  say "ran $preset in $(seconds_since "$start") s"
}

test_sources() {
  step "sources"
  check "scripts are clean (shellcheck)" shellcheck -x scripts/*.sh scripts/lib/*.sh packaging/*.sh slurm/*.sh slurm/job.sbatch .ci/run
}

test_cpu() {
  step "CPU"
  configure cpu && build cpu all || return 0
  run_tests cpu
  [ "$FULL" = yes ] || return 0
  build cpu koine_headers && passed # each header compiled alone
}

test_cuda() {
  step "CUDA"
  if [ -z "$(find_nvcc)" ]; then
    skipped "the CUDA build: there is no nvcc here"
    return
  fi
  local targets=(koine_cuda cuda_tests)
  # With a GPU the program too, for tests through it; elsewhere the CPU build's tests run the same sources emulated.
  if [ -n "$(nvidia-smi -L 2>/dev/null)" ]; then targets+=(koine parity_tests); fi
  configure cuda "-DCMAKE_CUDA_ARCHITECTURES=$(cuda_architecture)" && build cuda "${targets[@]}" || return 0
  run_tests cuda '^cuda$'
  check_script "the bundle for machines with a GPU, in a bare root" scripts/portable_check.sh
}

test_asan() {
  step "AddressSanitizer and UBSan"
  configure asan && build asan koine unit_tests formats_tests || return 0
  run_tests asan '^(unit|formats|cli)$'
}

test_tsan() {
  step "ThreadSanitizer"
  configure tsan && build tsan all || return 0
  run_tests tsan '^(unit|mpi|property)$'
}

test_package() {
  step "Debian package"
  check_script "the package on a bare root" scripts/package_check.sh
}

# finish: also where something ends the script early.
finish() {
  local status=$?
  trap - EXIT
  [ "$status" -eq 0 ] || failed "the script ended early with status $status"
  finish_tally || exit 1
}

main() {
  case "${1:-}" in
    "") ;;
    --full) FULL=yes ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) die "unknown option $1; see --help" ;;
  esac
  cd "$ROOT"
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  prepare_mpi
  step "packages"
  install_packages build test
  test_sources
  test_cpu
  test_cuda
  test_asan
  test_tidy "$FULL"
  if [ "$FULL" = yes ]; then
    test_tsan
    test_package
  fi
}

main "$@"
