#!/usr/bin/env bash
# Packs the bundle of scripts/portable.sh, unpacks it in a root that holds a shell, coreutils and the C library and nothing else, and
# runs its CPU part there: a merge alone and by mpirun, verified and exported; without a GPU, gpu_check.sh must say so.
# Exit 77: skipped, and the last line says why.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
# shellcheck source=scripts/lib/common.sh
. "$HERE/lib/common.sh"

# copy_here FILE ROOT: a program or library and what it loads.
copy_here() {
  local file
  for file in "$1" $(ldd "$1" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }'); do
    [ -e "$2$file" ] || install -D "$file" "$2$file"
  done
}

make_root() {
  local name library
  for name in sh bash env mktemp rm cat cmp dirname basename ls mkdir chmod sed grep tr head; do
    copy_here "$(readlink -f "$(command -v "$name")")" "$1"
    install -D "$(command -v "$name")" "$1/bin/$name"
  done
  # What the bundle leaves to the machine: the C library, of which the tools above need a part only.
  for library in librt.so.1 libdl.so.2 libpthread.so.0 libresolv.so.2 libutil.so.1 libm.so.6 libmvec.so.1 libnss_files.so.2; do
    library=$(ldconfig -p | awk -v name="$library" '$1 == name && !found {found = $NF} END {print found}')
    [ -z "$library" ] || install -D "$library" "$1$library"
  done
  mkdir -p "$1"/{tmp,dev/shm,proc,sys,root,etc}
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$1/etc/passwd"
  printf '127.0.0.1 localhost %s\n' "$(hostname)" >"$1/etc/hosts"
}

main() {
  if [ "$(id -u)" -ne 0 ] || ! unshare --mount true 2>/dev/null; then
    say "skipped: only root can enter another root"
    exit 77
  fi
  for name in build/cuda/libkoine_cuda.so build/cpu/koine; do
    if [ ! -e "$ROOT/$name" ]; then
      say "skipped: $name is not built"
      exit 77
    fi
  done
  local scratch
  scratch=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$scratch'" EXIT
  "$HERE/portable.sh" "$scratch/bundle.tar.xz"
  make_root "$scratch/root"
  tar -xf "$scratch/bundle.tar.xz" -C "$scratch/root/root"
  # shellcheck disable=SC2016
  unshare --mount --propagation private -- sh -euc '
    mount -t proc proc "$1/proc"
    for folder in dev sys; do mount --rbind "/$folder" "$1/$folder"; done
    chroot "$1" env -i HOME=/root PATH=/bin LC_ALL=C sh -euc "
      export PORTABLE=/root/koine-portable
      . /root/koine-portable/env.sh
      sh /root/koine-portable/packaging/smoke_test.sh /root/koine-portable/build/cuda/koine
      code=0
      bash /root/koine-portable/scripts/gpu_check.sh || code=\$?
      [ \$code -eq 3 ]"' - "$scratch/root"
  say "the bundle works in a bare root"
}

main "$@"
