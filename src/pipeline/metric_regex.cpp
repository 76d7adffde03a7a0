#include "pipeline/metric_regex.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <regex>

#include <fmt/format.h>

#include "core/error.hpp"
#include "pipeline/output_lines.hpp"

namespace koine::pipeline {
namespace {

constexpr std::size_t kMostSearched = std::size_t{1} << 20;
constexpr std::size_t kLongestSearchedLine = 4096;
constexpr std::size_t kLongestRegex = 256;

/// Matching takes polynomial time and no recursion where the library offers it. Searching tries
/// every place of a line, in quadratic time: a probe that begins with anything says in one go
/// whether that is worth while.
#ifdef __GLIBCXX__
constexpr auto kSyntax = std::regex::ECMAScript | std::regex_constants::__polynomial;
#else
constexpr auto kSyntax = std::regex::ECMAScript;
#endif

std::regex compile(const std::string& text) {
  if (text.size() > kLongestRegex) {
    throw InputError(fmt::format("evaluate.metric.regex: has {} characters, at most {} are taken",
                                 text.size(), kLongestRegex));
  }
  try {
    std::regex regex(text, kSyntax);
    if (regex.mark_count() > 0) return regex;
    throw InputError(fmt::format(
        "evaluate.metric.regex: '{}' has no group; put the number in parentheses: 'WER: ([0-9.]+)'",
        text));
  } catch (const std::regex_error& error) {
    throw InputError(fmt::format("evaluate.metric.regex: '{}' is no regular expression ({})", text,
                                 error.what()));
  }
}

}  // namespace

void check_metric_regex(const std::string& regex) {
  (void)compile(regex);
}

std::optional<std::string> last_match(std::string_view output, const std::string& regex) {
  const std::regex compiled = compile(regex);
  const std::regex probe(R"([\s\S]*?(?:)" + regex + ")", kSyntax);
  output = output.substr(output.size() - std::min(output.size(), kMostSearched));
  while (!output.empty()) {
    std::string_view line = take_last_line(output);
    line = line.substr(line.size() - std::min(line.size(), kLongestSearchedLine));
    const char *begin = line.data(), *end = begin + line.size();
    if (!std::regex_search(begin, end, probe, std::regex_constants::match_continuous)) continue;
    std::string found;
    for (std::cregex_iterator match(begin, end, compiled), none; match != none; ++match)
      found = (*match)[1].str();
    return found;
  }
  return std::nullopt;
}

std::optional<double> metric_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (code != std::errc() || !std::isfinite(number) || (!rest.empty() && rest != "."))
    return std::nullopt;
  return number;
}

}  // namespace koine::pipeline
