#include "pipeline/output_lines.hpp"

#include <algorithm>
#include <span>

#include "checkpoint/utf8.hpp"

namespace koine::pipeline {
namespace {
constexpr std::size_t kLongestShown = 200;
}  // namespace

std::string read_tail(const File& file, std::int64_t most) {
  const std::int64_t size = file.size();
  const std::int64_t count = std::min(size, most);
  std::string text(static_cast<std::size_t>(count), '\0');
  file.read_at(std::as_writable_bytes(std::span(text)), size - count);
  return text;
}

std::string_view take_last_line(std::string_view& text) {
  const std::size_t end = text.find_last_of("\n\r");
  std::string_view line = end == std::string_view::npos ? text : text.substr(end + 1);
  text = end == std::string_view::npos ? std::string_view() : text.substr(0, end);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

std::string last_line(std::string_view text) {
  std::string_view line;
  while (line.empty() && !text.empty()) line = take_last_line(text);
  return one_line(line, kLongestShown);
}

std::string one_line(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  std::string line(text.substr(0, end));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  if (!checkpoint::is_clean_utf8(line)) {
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c >= 0x80; }, '?');
  }
  return end < text.size() ? line + "..." : line;
}

}  // namespace koine::pipeline
