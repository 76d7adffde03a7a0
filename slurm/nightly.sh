#!/usr/bin/env bash
# Merges the experts that lie in a folder tonight, checks the result and publishes it; for cron, or as a Slurm job.
#
#   slurm/nightly.sh nightly.conf       docs/how-to/nightly.md says what stands in the file
#
# Ends with koine's exit code. Started again after 75, or after whatever killed it, it goes on with the same night.
set -euo pipefail

say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }
die() {
  printf 'nightly: %s\n' "$*" >&2
  exit 2
}

if [ $# -ne 1 ] || [ ! -r "$1" ]; then die "expected the path of a settings file, see docs/how-to/nightly.md"; fi
BASE='' EXPERTS='' OUT='' RECIPE='' CACHE='' EVALUATE='' BEGIN='' # what the file must or may set
FORMAT=hf KEEP=7 LAUNCH=() KOINE=koine
# shellcheck source=/dev/null
. "$1"
for name in BASE EXPERTS OUT RECIPE; do
  [ -n "${!name}" ] || die "$1: sets no $name"
done
[[ $KEEP =~ ^[1-9][0-9]*$ ]] || die "$1: KEEP=$KEEP, expected a whole number from 1"
[ -d "$EXPERTS" ] || die "$EXPERTS: no such folder"
CACHE=${CACHE:-$OUT/cache}

mkdir -p "$OUT/runs" "$OUT/recipes"
exec 9>"$OUT/lock"
flock -n 9 || die "$OUT: another night is at work here"

# Tomorrow's job, whatever becomes of this one.
if [ -n "$BEGIN" ] && [ -n "${SLURM_JOB_ID:-}" ] && [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ]; then
  sbatch --begin="$BEGIN" --job-name="${SLURM_JOB_NAME:-koine-nightly}" "$0" "$(realpath "$1")" >/dev/null
fi

# quoted TEXT: as a YAML scalar.
quoted() { printf "'%s'" "${1//\'/\'\'}"; }

# Every expert that can be read whole; one that is still being copied waits for tomorrow.
experts=()
for folder in "$EXPERTS"/*; do
  if "$KOINE" inspect "$folder" --json >/dev/null 2>&1; then
    experts+=("$folder")
  else
    say "left out: $folder cannot be read as a checkpoint"
  fi
done
[ ${#experts[@]} -gt 0 ] || die "$EXPERTS: holds no expert that can be read"

# What tonight's result depends on: the settings, and every file's name, size and time.
fingerprint=$({
  cat "$RECIPE"
  find -L "$BASE" "${experts[@]}" -type f -printf '%p %s %T@\n' | sort
} | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$OUT/current.fingerprint" 2>/dev/null)" = "$fingerprint" ] && [ -e "$OUT/current/manifest.json" ]; then
  say "nothing is new: $(readlink "$OUT/current") stays"
  exit 0
fi

# A night that was interrupted goes on if nothing has changed since; another one is in its way.
night=
if [ -s "$OUT/pending" ]; then
  read -r night before <"$OUT/pending"
  if [ "$before" != "$fingerprint" ]; then
    say "runs/$night was not finished and is out of date: removed"
    rm -rf "${OUT:?}/runs/$night" "$OUT/recipes/$night.yaml"
    night=
  fi
fi
if [ -z "$night" ]; then
  night=$(date -u +%Y%m%dT%H%M%SZ)
  {
    cat "$RECIPE"
    printf '\nbase_model: %s\nmodels:\n' "$(quoted "$BASE")"
    for expert in "${experts[@]}"; do printf '  - model: %s\n' "$(quoted "$expert")"; done
  } >"$OUT/recipes/$night.yaml"
  echo "$night $fingerprint" >"$OUT/pending.new"
  mv "$OUT/pending.new" "$OUT/pending"
fi

run=$OUT/runs/$night
say "merging ${#experts[@]} experts into $run"
"${LAUNCH[@]}" "$KOINE" merge "$OUT/recipes/$night.yaml" --output "$run" --cache "$CACHE"
"$KOINE" verify "$run" --quiet >/dev/null
if [ -n "$EVALUATE" ]; then
  checkpoint=$run
  if [ "$FORMAT" != run ]; then
    checkpoint=$OUT/checkpoint
    rm -rf "$checkpoint"
    "$KOINE" export "$run" --format "$FORMAT" --output "$checkpoint" --quiet >/dev/null
  fi
  say "evaluating"
  if ! (cd "$OUT" && CHECKPOINT=$checkpoint sh -c "$EVALUATE") >"$OUT/recipes/$night.evaluation" 2>&1; then
    say "not published: the evaluation failed, see $OUT/recipes/$night.evaluation"
    rm -f "$OUT/pending" # the same again would fail the same
    exit 5
  fi
fi

# In one step: who reads $OUT/current sees the old run or the new one.
ln -sfn "runs/$night" "$OUT/current.new"
mv -T "$OUT/current.new" "$OUT/current"
echo "$fingerprint" >"$OUT/current.fingerprint"
rm -f "$OUT/pending"
say "published: $OUT/current is runs/$night"

# The last $KEEP nights stay.
cd "$OUT/runs"
for old in $(find . -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort -r | tail -n "+$((KEEP + 1))"); do
  [ "$old" = "$night" ] && continue
  rm -rf "./$old" "../recipes/$old.yaml" "../recipes/$old.evaluation"
  say "removed runs/$old"
done
