# shellcheck shell=bash
# Debian packages of the program. Sourced after common.sh and build.sh.

# What cpack needs besides the packages of the build.
package_packages() { echo dpkg-dev file binutils; }

# make_packages BUILD OUTPUT: koine_*.deb and libkoine-dev_*.deb in OUTPUT, from a configured build folder.
make_packages() {
  local build=$1 output=$2 start=$SECONDS
  quietly "$build/package.log" cmake --build "$build" --target koine_package --parallel "$(cores)" || die "the build failed"
  mkdir -p "$output"
  rm -f "$output"/*.deb
  quietly "$build/cpack.log" cpack --config "$build/CPackConfig.cmake" -G DEB -B "$output" || die "cpack failed"
  rm -rf "$output/_CPack_Packages"
  say "packed in $(seconds_since "$start") s: $(cd "$output" && echo *.deb)"
}
