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
CONF=$(realpath "$1")
BASE='' EXPERTS='' OUT='' RECIPE='' CACHE='' EVALUATE='' BEGIN='' # what the file must or may set
FORMAT=hf KEEP=7 LAUNCH=() SBATCH=() KOINE=koine
# shellcheck source=/dev/null
. "$CONF"

# Tomorrow's job, whatever becomes of this one.
if [ -n "$BEGIN" ] && [ -n "${SLURM_JOB_ID:-}" ] && [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ]; then
  script=$(scontrol show job "$SLURM_JOB_ID" | sed -n 's/^ *Command=\([^ ]*\).*/\1/p') # Slurm runs a copy of it
  sbatch --begin="$BEGIN" "${SBATCH[@]}" "${script:-$0}" "$CONF" >/dev/null || say "tomorrow's job could not be submitted"
fi

for name in BASE EXPERTS OUT RECIPE; do
  [ -n "${!name}" ] || die "$CONF: sets no $name"
done
[[ $KEEP =~ ^[1-9][0-9]*$ ]] || die "$CONF: KEEP=$KEEP, expected a whole number from 1"
[[ $FORMAT =~ ^(hf|openai|run)$ ]] || die "$CONF: FORMAT=$FORMAT, expected hf, openai or run"
for name in BASE EXPERTS OUT RECIPE; do
  printf -v "$name" '%s' "$(realpath -m "${!name}")"
done
CACHE=$(realpath -m "${CACHE:-$OUT/cache}")
[ -d "$EXPERTS" ] || die "$EXPERTS: no such folder"
[ -e "$BASE" ] || die "$BASE: no such base"
[ -r "$RECIPE" ] || die "$RECIPE: cannot be read; it holds a recipe without base_model and models"
command -v "$KOINE" >/dev/null || die "$KOINE: no such program; set KOINE to its path"

mkdir -p "$OUT/runs" "$OUT/recipes"
exec 9>"$OUT/lock"
status=0
flock -n -E 99 9 || status=$?
[ "$status" -ne 99 ] || die "$OUT: another night is at work here"

# quoted TEXT: as a YAML scalar.
quoted() { printf "'%s'" "${1//\'/\'\'}"; }

is_night() { [[ $1 =~ ^[0-9]{8}T[0-9]{6}Z$ ]]; }
current() { basename "$(readlink "$OUT/current" 2>/dev/null || true)"; }

# remove NIGHT: never what is published.
remove() {
  is_night "$1" && [ "$1" != "$(current)" ] || return 0
  rm -rf "$OUT/runs/$1" "$OUT/recipes/$1.yaml" "$OUT/recipes/$1.evaluation"
  say "removed runs/$1"
}

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

# What tonight's result and its verdict depend on: the settings, and every file's name, size and time.
fingerprint=$({
  cat "$RECIPE"
  printf '%s %s\n' "$FORMAT" "$EVALUATE"
  find -L "$BASE" "${experts[@]}" -type f -printf '%p %s %T@\n' | sort
} | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$OUT/current.fingerprint" 2>/dev/null)" = "$fingerprint" ] && [ -e "$OUT/current/manifest.json" ]; then
  say "nothing is new: runs/$(current) stays"
  exit 0
fi
if [ "$(cat "$OUT/rejected.fingerprint" 2>/dev/null)" = "$fingerprint" ]; then
  say "nothing is new since the evaluation failed"
  exit 5
fi

# A night that was interrupted goes on if nothing has changed since; else it is in the way.
night='' before=''
[ ! -s "$OUT/pending" ] || read -r night before <"$OUT/pending" || true
if [ -n "$night" ] && [ "$before" != "$fingerprint" ]; then
  remove "$night"
  night=''
fi
if ! is_night "$night"; then
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
status=0
"${LAUNCH[@]}" "$KOINE" merge "$OUT/recipes/$night.yaml" --output "$run" --cache "$CACHE" 9>&- || status=$?
if [ "$status" -gt 6 ]; then # a launcher's own code: the folder knows how the merge ended
  status=0
  "$KOINE" status "$run" --exit-code --quiet >/dev/null || status=$?
fi
[ "$status" -eq 0 ] || exit "$status"
"$KOINE" verify "$run" --quiet >/dev/null
if [ -n "$EVALUATE" ]; then
  checkpoint=$run
  if [ "$FORMAT" != run ]; then
    checkpoint=$OUT/checkpoint
    rm -rf "$checkpoint"
    "$KOINE" export "$run" --format "$FORMAT" --output "$checkpoint" --quiet >/dev/null
  fi
  say "evaluating"
  if ! (cd "$OUT" && CHECKPOINT=$checkpoint sh -c "$EVALUATE") >"$OUT/recipes/$night.evaluation" 2>&1 9>&-; then
    say "not published: the evaluation failed, see $OUT/recipes/$night.evaluation"
    echo "$fingerprint" >"$OUT/rejected.fingerprint" # the same again would fail the same
    rm -f "$OUT/pending"
    rm -rf "$run"
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
while read -r old; do
  remove "$old"
done < <(find "$OUT/runs" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort -r | tail -n "+$((KEEP + 1))")
