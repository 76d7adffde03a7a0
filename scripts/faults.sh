#!/usr/bin/env bash
# Spoils merges in every way that docs/reference/reliability.md lists, and checks what it promises.
#
#   scripts/faults.sh                       every row, every point: some hours on two cores
#   scripts/faults.sh R1 R5 --part 2/4      the second quarter of two rows
#   scripts/faults.sh --every 7             every seventh point
#
# One line of JSON per row; what has passed for this commit (build/faults/COMMIT) is not run again.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$HERE")
# shellcheck source=scripts/lib/common.sh
. "$HERE/lib/common.sh"

prepare_mpi
export KOINE=${KOINE:-$ROOT/build/cpu/koine} KOINE_SOURCE=$ROOT PYTHONPATH=$ROOT/tests/support PYTHONDONTWRITEBYTECODE=1
export KOINE_INTERPOSE=${KOINE_INTERPOSE:-$ROOT/build/cpu/tests/libkoine_interpose.so}
if [ ! -x "$KOINE" ] || [ ! -e "$KOINE_INTERPOSE" ]; then die "build first: cmake --workflow --preset cpu"; fi
exec /usr/bin/python3 "$ROOT/tests/faults/rows.py" "$@"
