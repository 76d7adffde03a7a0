# shellcheck shell=bash
# A bare root folder of this machine's own distribution, and commands in it. Sourced after common.sh, packages.sh
# and build.sh.
# What is mounted for a command is mounted in a namespace of its own: nothing is left to unmount, whatever kills us.

in_own_mounts() { unshare --mount --propagation private -- "$@"; }

os_codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null | tr -d '"'; }

# bare_root_obstacle: why none can be made here; nothing where one can.
bare_root_obstacle() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "it takes root"
  elif ! command -v debootstrap >/dev/null; then
    echo "debootstrap is not to be had here"
  elif [ -z "$(os_codename)" ]; then
    echo "/etc/os-release names no release for debootstrap"
  elif ! in_own_mounts true 2>/dev/null; then
    echo "this container may not mount (unshare --mount)"
  fi
}

# apt_mirror: where this machine's apt gets the release from; nothing where that is unknown (debootstrap has a default).
apt_mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' "Codename: $(os_codename)" "Created-By: Packages" 2>/dev/null |
    grep -m 1 '^https\?://' || true
}

# make_bare_root ROOT: the least that apt works in.
make_bare_root() {
  local root=$1 components=main mirror
  case "$(os_name)" in ubuntu*) components=main,universe ;; esac
  mirror=$(apt_mirror)
  mkdir -p "$root"
  # shellcheck disable=SC2086
  quietly "$root.log" in_own_mounts debootstrap --variant=minbase --components="$components" "$(os_codename)" "$root" $mirror ||
    die "debootstrap failed"
  share_apt_settings "$root"
}

# share_apt_settings ROOT: names, mirrors, proxies and certificates as here; no hooks, whose programs are not there.
share_apt_settings() {
  local root=$1 file
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  mkdir -p "$root/etc/ssl/certs"
  [ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  for file in /etc/apt/apt.conf.d/*; do
    grep -qE 'Invoke|Pre-Install-Pkgs' "$file" || cp "$file" "$root/etc/apt/apt.conf.d/"
  done
  : >"$root/etc/apt/sources.list"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/{debian,ubuntu}.sources; do
    [ ! -e "$file" ] || cp "$file" "$root${file}"
  done
}

# in_root ROOT COMMAND...: with proc, sys, dev, dev/pts and dev/shm, and nothing of our environment but proxies.
in_root() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private --pid --fork --kill-child -- bash -euc '
    root=$1
    shift
    mount -t proc proc "$root/proc"
    for folder in dev sys; do mount --rbind "/$folder" "$root/$folder"; done
    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} "$@"' - "$@"
}
