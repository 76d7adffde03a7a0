#!/usr/bin/env bash
# Packs koine from build/cpu, looks into the package, installs it in a bare root of this distribution and runs the smoke test there.
# Exit 77: skipped, and the last line says why.
#
#   scripts/package_check.sh [FOLDER]      FOLDER: scratch space, 600 MB, removed again (default: a temporary folder)
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
# shellcheck source=scripts/lib/debian.sh
. "$HERE/lib/debian.sh"
# shellcheck source=scripts/lib/bare_root.sh
. "$HERE/lib/bare_root.sh"

usage() { sed -n '2,5s/^#[ ]\{0,1\}//p' "${BASH_SOURCE[0]}"; }

# Every file of the program's package that somebody looks for by name.
EXPECTED_FILES="
usr/bin/koine
usr/share/man/man1/koine.1.gz
usr/share/bash-completion/completions/koine
usr/share/zsh/vendor-completions/_koine
usr/share/fish/vendor_completions.d/koine.fish
usr/share/doc/koine/copyright
usr/share/doc/koine/changelog.gz
usr/share/doc/koine/changelog.Debian.gz
usr/share/koine/smoke_test.sh
usr/share/koine/configs/lors.yaml
usr/share/koine/configs/evaluate/whisper.py"

says_what_it_is() {
  local deb=$1 field
  for field in Maintainer Description Section Depends Installed-Size; do
    [ -n "$(dpkg-deb -f "$deb" "$field")" ] || return 1
  done
}

# Libraries as dpkg-shlibdeps found them, and mpirun.
depends_on() {
  local depends name
  depends=$(dpkg-deb -f "$1" Depends)
  shift
  for name in "$@"; do
    [[ ", $depends" == *", $name"* ]] || {
      warn "no $name among: $depends"
      return 1
    }
  done
}

has_expected_files() {
  local file
  for file in $EXPECTED_FILES; do
    [ -s "$1/$file" ] || {
      warn "not in the package: $file"
      return 1
    }
  done
}

belongs_to_root() { ! dpkg-deb -c "$1" | awk '{print $2}' | grep -qv '^root/root$'; }

is_stripped() { ! readelf -SW "$1" | grep -q '\.symtab'; }

has_no_rpath() { ! readelf -d "$1" | grep -qE 'R(UN)?PATH'; }

# The maintainer's address is whoever packs: koine@localhost by default.
is_clean_to_lintian() {
  lintian --allow-root --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$@"
}

look_into() {
  local deb=$1 development=$2 unpacked=$3
  dpkg-deb -x "$deb" "$unpacked"
  check "control fields" says_what_it_is "$deb"
  check "control fields of libkoine-dev" says_what_it_is "$development"
  check "dependencies" depends_on "$deb" openmpi-bin libc6 libhdf5 libopenmpi libopenblas0 libyaml-cpp
  check "files" has_expected_files "$unpacked"
  check "owners" belongs_to_root "$deb"
  check "stripped" is_stripped "$unpacked/usr/bin/koine"
  check "no rpath" has_no_rpath "$unpacked/usr/bin/koine"
  if command -v lintian >/dev/null; then
    check "lintian" is_clean_to_lintian "$deb" "$development"
  else
    skipped "lintian is not installed"
  fi
}

# quiet_in_root ROOT COMMAND...: what it says only where it fails.
quiet_in_root() { quietly "$1.log" in_root "$@"; }

is_gone() { [ ! -e "$1/usr/bin/koine" ] && [ ! -e "$1/usr/share/koine" ]; }

try_in() {
  local root=$1
  check "a bare $(os_name)" make_bare_root "$root"
  cp "$2" "$3" "$root/tmp/"
  check "apt lists" quiet_in_root "$root" apt-get update
  check "apt-get install ./koine" quiet_in_root "$root" apt-get install -y "/tmp/${2##*/}"
  check "dpkg --verify" in_root "$root" dpkg --verify koine
  check "smoke test" in_root "$root" /usr/share/koine/smoke_test.sh
  check "libkoine-dev could be installed" quiet_in_root "$root" apt-get install -y --simulate "/tmp/${3##*/}"
  check "apt-get purge" quiet_in_root "$root" apt-get purge -y koine
  check "nothing is left" is_gone "$root"
}

main() {
  case "${1:-}" in
    -h | --help)
      usage
      exit 0
      ;;
    -*) die "unknown option $1; see --help" ;;
  esac
  cd "$ROOT"
  command -v debootstrap >/dev/null || (install_missing debootstrap) || true
  local obstacle scratch
  obstacle=$(bare_root_obstacle)
  if [ -n "$obstacle" ]; then
    say "skipped: no bare root to install the package in: $obstacle"
    exit 77
  fi
  scratch=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/koine-package-XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$scratch'" EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  step "pack"
  install_packages build package
  [ -e build/cpu/CPackConfig.cmake ] || quietly build/cpu/configure.log cmake --preset cpu || die "CMake could not configure"
  make_packages build/cpu "$scratch"
  local deb=("$scratch"/koine_*.deb) development=("$scratch"/libkoine-dev_*.deb)
  step "look into the package"
  look_into "${deb[0]}" "${development[0]}" "$scratch/unpacked"
  step "install it in a bare root"
  try_in "$scratch/root" "${deb[0]}" "${development[0]}"
  finish_tally
}

main "$@"
