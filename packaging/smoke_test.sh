#!/bin/sh
# Shows that an installed koine works: makes a one-layer model and two experts, merges them alone and on two processes,
# compares, verifies and exports. Seconds, and 600 MB of a scratch folder that is removed.
#
#   smoke_test.sh [KOINE]      KOINE: the program (default: koine on PATH)
#
# MPIRUN: what starts two processes when "-n 2" follows (default: mpirun), e.g. MPIRUN="srun --mpi=pmix".
set -eu

KOINE=${1:-koine}
MPIRUN=${MPIRUN:-mpirun}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1

FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$KOINE" --version --json
KOINE=$(command -v "$KOINE")
case $KOINE in /*) ;; *) KOINE=$PWD/$KOINE ;; esac
cd "$FOLDER"

"$KOINE" synth --model tiny --layers 1 --experts 2 --output models --quiet
"$KOINE" merge models/lors.yaml --output alone --quiet
# shellcheck disable=SC2086
$MPIRUN -n 2 "$KOINE" merge models/lors.yaml --output two --quiet
cmp alone/SHA256SUMS two/SHA256SUMS
"$KOINE" verify two --quiet
"$KOINE" export two --format hf --output exported --quiet
"$KOINE" diff two exported --quiet
echo "koine works: $KOINE, alone and with $MPIRUN -n 2"
