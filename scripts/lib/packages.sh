# shellcheck shell=bash
# Which packages Koine needs, and installing those that are missing. Sourced after common.sh.

KOINE_LEAST_CMAKE=3.25

# The same names in Debian 12 and Ubuntu 22.04 and 24.04.
build_packages() {
  echo g++ ninja-build pkg-config libopenmpi-dev openmpi-bin libhdf5-dev libyaml-cpp-dev libopenblas-pthread-dev \
    liblapacke-dev libfmt-dev libcli11-dev nlohmann-json3-dev libssl-dev zlib1g-dev libxxhash-dev
}

# chromium: the pages of sweeps are looked at in a real browser; Ubuntu has it as a snap only, and skips those tests.
test_packages() {
  echo libgtest-dev libgmock-dev python3 python3-numpy python3-h5py hdf5-tools shellcheck slurm-wlm munge
  case "$(os_name)" in debian*) echo chromium ;; esac
}

# os_name: "debian 12", "ubuntu 24.04", … or "unknown".
os_name() {
  if [ -r /etc/os-release ]; then
    (
      # shellcheck disable=SC1091
      . /etc/os-release
      echo "${ID:-unknown} ${VERSION_ID:-}"
    )
  else
    echo unknown
  fi
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# is_at_least VERSION LEAST
is_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

has_cmake() {
  local version
  version=$(cmake --version 2>/dev/null | sed -n '1s/.* //p')
  [ -n "$version" ] && is_at_least "$version" "$KOINE_LEAST_CMAKE"
}

# install_missing PACKAGE...: asks apt for those that are not there, and for nothing where all are.
install_missing() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    warn "no apt here ($(os_name)): going on with what is installed; the packages' names in Debian are: $*"
    return
  fi
  local missing=() package
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  say "installing ${#missing[@]} packages: ${missing[*]}"
  local line="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    die "these packages are missing and there is neither root nor sudo to install them; ask for: $line"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || warn "apt-get update failed; trying with the lists at hand"
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive $line -qq >/dev/null ||
    die "apt could not install them; the same by hand, to see why: $line"
}

# install_packages KIND...: build, test. With a CMake that is new enough.
install_packages() {
  case "$(os_name)" in
    "debian 12" | "ubuntu 24.04" | "ubuntu 22.04") ;;
    *) warn "made for Debian 12 and Ubuntu 22.04 and 24.04, this is $(os_name); trying the same package names" ;;
  esac
  local packages=() kind
  for kind in "$@"; do
    # shellcheck disable=SC2207
    packages+=($("${kind}_packages"))
  done
  has_cmake || packages+=(cmake)
  install_missing "${packages[@]}"
  has_cmake || die "CMake $KOINE_LEAST_CMAKE or newer is needed, found $(cmake --version 2>/dev/null | head -n 1):" \
    "'pip install cmake' or https://apt.kitware.com have one; put it on PATH and run this again"
}
