#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace koine::recipe {

/// Where a value was written. source 0: the recipe file; n: the n-th entry of the command line's
/// labels.
struct Place {
  std::size_t source = 0;
  int line = 1;    ///< from 1
  int column = 1;  ///< from 1, in characters
};

/// Gathers everything that is wrong with a recipe, so that the user sees all of it at once.
class Problems {
 public:
  /// `labels`: how values from elsewhere are named: "--set parameters.rank=7", or
  /// "sweep.yaml: point 12 (rank 7)" for a sweep's.
  Problems(std::string file, std::vector<std::string> labels);

  void add(const Place& place, const std::string& text);
  [[nodiscard]] bool empty() const noexcept { return found_.empty(); }
  /// One line per problem, in the order of the file, each "file:line:column: …" or "--set …: …".
  /// @throws InputError if anything was added
  void throw_if_any() const;
  /// As throw_if_any, with this problem added: for what makes reading on impossible. @throws
  /// InputError
  [[noreturn]] void fail(const Place& place, const std::string& text);

  [[nodiscard]] std::string where(
      const Place& place) const;  ///< "a/lors.yaml:12:3" or "--set rank=7"
  [[nodiscard]] std::string origin(
      const Place& place) const;  ///< "lors.yaml:12", "--set", "--output" or "sweep.yaml"

 private:
  std::string file_;
  std::vector<std::string> labels_;
  std::vector<std::pair<Place, std::string>> found_;
};

/// The user's text as a message may show it: one line, quoted, cut where it is long.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace koine::recipe
