# shellcheck shell=bash
# clang-tidy over what changed. Sourced after tally.sh; the cpu preset is configured (compile_commands.json).

TIDY=clang-tidy-16

# changed_sources: .cpp files of src/ and jobs/ that differ from where this branch left main, or on main from the
# commit before; those not committed yet are in.
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || true)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
    base=$(git rev-parse -q --verify 'HEAD~1' || git rev-parse HEAD)
  fi
  {
    git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' 'jobs/*.cpp'
    git ls-files --others --exclude-standard -- 'src/*.cpp' 'jobs/*.cpp'
  } | sort -u
}

# test_tidy FULL: yes for every file.
test_tidy() {
  step "clang-tidy"
  local files=()
  if [ "$1" = yes ]; then
    mapfile -t files < <(find src jobs -name '*.cpp' | sort)
  elif git rev-parse -q --verify HEAD >/dev/null 2>&1; then
    mapfile -t files < <(changed_sources)
  else
    skipped "clang-tidy: without git there is no telling what changed (--full looks at every file)"
    return
  fi
  if [ "${#files[@]}" -eq 0 ]; then
    skipped "clang-tidy: no source file changed"
    return
  fi
  command -v "$TIDY" >/dev/null || (install_missing "$TIDY") || true
  if ! command -v "$TIDY" >/dev/null; then
    skipped "clang-tidy: $TIDY is not to be had here"
    return
  fi
  check "clang-tidy on ${#files[@]} files" tidy_files "${files[@]}"
}

# The compile commands are g++'s: clang is not to mind warnings that it does not know.
tidy_files() {
  printf '%s\n' "$@" |
    xargs -P "$(cores)" -n 1 "$TIDY" -p build/cpu --quiet --extra-arg=-Wno-unknown-warning-option 2>/dev/null
}
