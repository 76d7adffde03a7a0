#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "recipe/selector_word.hpp"

namespace koine::recipe {
namespace {

/// Where the part of a pattern that matches one character ends, and whether it matches `c`.
struct OneCharacter {
  std::size_t end = 0;
  bool fits = false;
};

/// "[a-z]" or "[!a-z]" at `at`; nothing where the bracket is not closed (then '[' stands for
/// itself).
std::optional<OneCharacter> match_set(std::string_view pattern, std::size_t at, char c) {
  std::size_t i = at + 1;
  const bool is_negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (is_negated) ++i;
  const auto close = pattern.find(']', i + 1);  // a ']' right after the bracket belongs to the set
  if (close == std::string_view::npos) return std::nullopt;
  bool is_in = false;
  while (i < close) {
    const bool is_range = i + 2 < close && pattern[i + 1] == '-';
    const char low = pattern[i], high = is_range ? pattern[i + 2] : low;
    is_in = is_in || (low <= c && c <= high);
    i += is_range ? 3 : 1;
  }
  return OneCharacter{close + 1, is_in != is_negated};
}

OneCharacter match_one(std::string_view pattern, std::size_t at, char c) {
  if (pattern[at] == '?') return {at + 1, true};
  if (pattern[at] == '[') {
    if (const auto set = match_set(pattern, at, c)) return *set;
  }
  return {at + 1, pattern[at] == c};
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t after_star = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      retry = t;
      continue;
    }
    const OneCharacter one = p < pattern.size() ? match_one(pattern, p, text[t]) : OneCharacter{};
    if (one.fits) {
      p = one.end;
      ++t;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      t = ++retry;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(std::min(p, pattern.size())),
                     pattern.end(), [](char c) { return c == '*'; });
}

}  // namespace koine::recipe
