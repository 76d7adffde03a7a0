#pragma once

#include <filesystem>

namespace koine::test {

/// The source tree that this test program was built from, as the build folder's CMakeCache.txt
/// names it.
std::filesystem::path source_folder();

}  // namespace koine::test
