# shellcheck shell=bash
# What every script shares: words, root rights, cores, MPI's settings. Sourced, never run.

export LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

cores() { nproc 2>/dev/null || echo 1; }

# as_root COMMAND...: as it is for root, through sudo otherwise.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# seconds_since START: whole seconds since `START=$SECONDS`.
seconds_since() { echo $((SECONDS - $1)); }

# Open MPI as root, on one core or many, and without binding a process to one core.
prepare_mpi() {
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
}
