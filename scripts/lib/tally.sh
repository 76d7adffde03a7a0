# shellcheck shell=bash
# Counting what passed, failed and was skipped. Sourced after common.sh.

PASSED=0
FAILED=0
SKIPPED=0
PROBLEMS=()

passed() { PASSED=$((PASSED + 1)); }

failed() {
  FAILED=$((FAILED + 1))
  PROBLEMS+=("$*")
  printf 'FAILED: %s\n' "$*"
}

skipped() {
  SKIPPED=$((SKIPPED + 1))
  printf 'skipped: %s\n' "$*"
}

# check NAME COMMAND...: one check, with its output.
check() {
  local name=$1 start=$SECONDS
  shift
  if "$@"; then
    say "passed: $name ($(seconds_since "$start") s)"
    passed
  else
    failed "$name"
  fi
}

# check_script NAME COMMAND...: as check, of a command that says by 77 that it was skipped, and why.
check_script() {
  local name=$1 start=$SECONDS status=0
  shift
  "$@" || status=$?
  case $status in
    0)
      say "passed: $name ($(seconds_since "$start") s)"
      passed
      ;;
    77) skipped "$name: the reason is above" ;;
    *) failed "$name" ;;
  esac
}

# count_ctest NAME JUNIT CTEST_STATUS: adds ctest's own figures, read from its JUnit file.
count_ctest() {
  local name=$1 junit=$2 status=$3 counts
  if [ ! -s "$junit" ]; then
    failed "$name: ctest left no results"
    return
  fi
  counts=$(awk -f "$ROOT/scripts/lib/junit.awk" "$junit")
  local p f s
  read -r p f s <<<"$counts"
  PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
  say "$name: $p passed, $f failed, $s skipped"
  if [ "$f" -gt 0 ]; then
    PROBLEMS+=("$name: $f tests")
  elif [ "$status" -ne 0 ] || [ $((p + s)) -eq 0 ]; then
    failed "$name: ctest ended with $status"
  fi
}

# finish_tally: the last line of the run, and its exit status.
finish_tally() {
  local problem
  printf '\n'
  for problem in "${PROBLEMS[@]}"; do
    printf 'FAILED: %s\n' "$problem"
  done
  printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
  [ "$FAILED" -eq 0 ]
}
