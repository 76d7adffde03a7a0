#include "store/sums.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace koine::store {

std::string sums_text(const std::vector<ManifestFile>& files) {
  std::string text;
  for (const ManifestFile& file : files) text += fmt::format("{}  {}\n", file.sha256, file.path);
  return text;
}

bool is_plain_path(std::string_view path) {
  const auto is_strange = [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '\\'; };
  if (std::any_of(path.begin(), path.end(), is_strange)) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

bool may_differ(std::string_view path) {
  return path == "run.log" || path == "timing.json" || path == ".koine" ||
         path.starts_with(".koine/");
}

}  // namespace koine::store
