#pragma once

#include <filesystem>
#include <string>

namespace koine::test {

/// A fresh folder, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& leaf) const {
    return path_ / leaf;
  }

 private:
  std::filesystem::path path_;
};

/// A file of the source tree, by its path below tests/.
std::filesystem::path test_source(const std::string& path);

/// Runs `python3 script…` of the test Python; its exit code. Output goes to the test's own.
int run_python(const std::string& arguments);

/// The message that `call` throws as a koine::Error, or "" if it throws none.
template <typename Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace koine::test
