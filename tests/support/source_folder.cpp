#include "support/source_folder.hpp"

#include <fstream>
#include <stdexcept>
#include <string>

namespace koine::test {

std::filesystem::path source_folder() {
  const std::string key = "koine_SOURCE_DIR:STATIC=";
  for (auto at = std::filesystem::read_symlink("/proc/self/exe"); at != at.root_path();
       at = at.parent_path()) {
    std::ifstream cache(at.parent_path() / "CMakeCache.txt");
    for (std::string line; std::getline(cache, line);) {
      if (line.starts_with(key)) return line.substr(key.size());
    }
  }
  throw std::runtime_error("no CMakeCache.txt above the test program");
}

}  // namespace koine::test
