#include "recipe/problems.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include <fmt/format.h>

#include "core/error.hpp"

namespace koine::recipe {
namespace {

constexpr std::size_t kMostShown = 100;
constexpr std::size_t kLongestShown = 120;

auto order(const Place& place) {
  return std::tie(place.source, place.line, place.column);
}

}  // namespace

Problems::Problems(std::string file, std::vector<std::string> labels)
    : file_(std::move(file)), labels_(std::move(labels)) {}

void Problems::add(const Place& place, const std::string& text) {
  found_.emplace_back(place, text);
}

std::string Problems::where(const Place& place) const {
  if (place.source != 0) return labels_.at(place.source - 1);
  return fmt::format("{}:{}:{}", file_, place.line, place.column);
}

std::string Problems::origin(const Place& place) const {
  if (place.source == 0) {
    return fmt::format("{}:{}", std::filesystem::path(file_).filename().string(), place.line);
  }
  const std::string& label = labels_.at(place.source - 1);
  if (label.starts_with("--")) return label.substr(0, label.find(' '));
  return std::filesystem::path(label.substr(0, label.find(": point"))).filename().string();
}

void Problems::throw_if_any() const {
  if (found_.empty()) return;
  auto sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return order(a.first) < order(b.first); });
  std::string message;
  for (std::size_t i = 0; i < std::min(sorted.size(), kMostShown); ++i) {
    message +=
        fmt::format("{}{}: {}", i == 0 ? "" : "\n", where(sorted[i].first), sorted[i].second);
  }
  if (sorted.size() > kMostShown) {
    message += fmt::format("\n{}: and {} more errors", file_, sorted.size() - kMostShown);
  }
  throw InputError(message);
}

void Problems::fail(const Place& place, const std::string& text) {
  add(place, text);
  throw_if_any();
  throw InputError(text);
}

std::string shown(std::string_view text) {
  std::size_t length = std::min(text.size(), kLongestShown);
  while (length < text.size() && length > 0 &&
         (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
    --length;
  std::string line;
  for (const char c : text.substr(0, length)) {
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return fmt::format("'{}{}'", line, text.size() > length ? "..." : "");
}

}  // namespace koine::recipe
