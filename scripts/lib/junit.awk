# Counts the test cases of a file that ctest --output-junit wrote: "passed failed skipped".
# A case that was not run is skipped only where the test itself said so (SKIP_…) or is disabled; a program that is
# missing counts as failed.
/<testcase / {
  close_case()
  open = 1
  status = $0
  sub(/.* status="/, "", status)
  sub(/".*/, "", status)
  says_skip = 0
}
/<skipped message="SKIP_/ { says_skip = 1 }
END {
  close_case()
  print passed + 0, failed + 0, skipped + 0
}
function close_case() {
  if (!open) return
  open = 0
  if (status == "run") passed++
  else if (status == "disabled" || says_skip) skipped++
  else failed++
}
