#include "pipeline/evaluate_answer.hpp"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "pipeline/metric_regex.hpp"
#include "pipeline/output_lines.hpp"

namespace koine::pipeline {
namespace {

constexpr std::int64_t kMostResult = std::int64_t{1} << 26;
constexpr std::int64_t kMostOutput = std::int64_t{1} << 24;
constexpr std::size_t kMostNamesShown = 10;

/// The answer in `result`; nothing where there is no such file, or an empty one.
std::optional<Answer> answer_in_file(const std::filesystem::path& result) {
  std::error_code code;
  const auto status = std::filesystem::status(result, code);
  if (!std::filesystem::exists(status)) return std::nullopt;
  if (!std::filesystem::is_regular_file(status))
    throw InputError(fmt::format("{}: is not a regular file", result.string()));
  const std::string text = read_text_file(result, kMostResult);
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return std::nullopt;
  return read_answer_json(text, result.string());
}

/// The answer in the last line that is one. `problem` becomes what is wrong with the last that is
/// not.
std::optional<Answer> answer_in_lines(std::string_view output, std::string& problem) {
  bool is_last = true;
  while (!output.empty()) {
    const std::string_view line = take_last_line(output);
    if (!line.starts_with('{') || !line.ends_with('}')) continue;
    try {
      return read_answer_json(line, "the last line of its stdout in braces");
    } catch (const InputError& error) {
      if (is_last) problem = error.what();
      is_last = false;
    }
  }
  return std::nullopt;
}

std::string without_metric(const Answer& answer, const std::string& wanted) {
  if (answer.numbers.empty())
    return fmt::format("the answer has no finite number '{}', nor any", wanted);
  std::vector<std::string> names;
  names.reserve(answer.numbers.size());
  for (const auto& [name, number] : answer.numbers) names.push_back(name);
  const std::string guess = did_you_mean(wanted, names);
  const std::size_t more = names.size() - std::min(names.size(), kMostNamesShown);
  names.resize(names.size() - more);
  return fmt::format("the answer has no finite number '{}'{}; it holds {}{}", wanted, guess,
                     fmt::join(names, ", "),
                     more == 0 ? std::string() : fmt::format(" and {} more", more));
}

/// Sets the metric from what the answer holds. @return what is wrong where it cannot
std::string name_metric(Answer& answer, const std::string& name) {
  const auto number = answer.numbers.find(name);
  if (number == answer.numbers.end()) return without_metric(answer, name);
  answer.metric = number->second;
  return {};
}

/// The same, from stdout.
std::string match_metric(Answer& answer, std::string_view output, const WantedMetric& wanted) {
  const auto text = last_match(output, wanted.regex);
  if (!text) return fmt::format("no line of its stdout matches '{}'", wanted.regex);
  answer.metric = metric_number(*text);
  if (!answer.metric) {
    return fmt::format("'{}' found '{}' in its stdout, expected a finite number", wanted.regex,
                       last_line(*text));
  }
  answer.numbers.insert_or_assign(wanted.name.empty() ? "metric" : wanted.name, *answer.metric);
  return {};
}

}  // namespace

Answer read_answer(const std::filesystem::path& result, const File& output,
                   const WantedMetric& wanted) {
  const std::string text = read_tail(output, kMostOutput);
  std::string problem =
      fmt::format("expected JSON in {} or as a line of its stdout, found neither", result.string());
  Answer answer;
  try {
    auto found = answer_in_file(result);
    if (!found) found = answer_in_lines(text, problem);
    if (found) answer = std::move(*found);
    if (found && !wanted.name.empty()) problem = name_metric(answer, wanted.name);
  } catch (const InputError& error) {
    answer.message = error.what();  // the file is there, but no answer
    return answer;
  }
  if (!answer.metric && !wanted.regex.empty()) problem = match_metric(answer, text, wanted);
  if (!answer.metric) answer.message = problem;
  return answer;
}

}  // namespace koine::pipeline
