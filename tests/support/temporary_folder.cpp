#include "support/temporary_folder.hpp"

#include <cstdlib>
#include <stdexcept>

namespace koine::test {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "koine-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("cannot make a temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path test_source(const std::string& path) {
  return std::filesystem::path(KOINE_TEST_SOURCE) / path;
}

int run_python(const std::string& arguments) {
  const char* python = std::getenv("KOINE_PYTHON");
  const std::string command =
      std::string(python != nullptr ? python : "/usr/bin/python3") + " " + arguments;
  return std::system(
      command.c_str());  // NOLINT(bugprone-command-processor, cert-env33-c): a test, its own words
}

}  // namespace koine::test
