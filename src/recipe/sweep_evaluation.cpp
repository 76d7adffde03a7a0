#include <array>
#include <regex>
#include <utility>

#include <fmt/format.h>

#include "recipe/sweep_keys.hpp"
#include "recipe/sweep_reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr std::size_t kLongestPattern = 256;
constexpr double kLongestTimeout = 30.0 * 24 * 3600;
constexpr NumberRange kWorkers{
    .low = 1, .high = 1024, .is_whole = true, .expected = "a whole number from 1 to 1024"};
constexpr NumberRange kRetries{
    .low = 0, .high = 100, .is_whole = true, .expected = "a whole number from 0 to 100"};

/// "90", "90s", "30min", "2h" or "1d" in seconds.
std::optional<double> parse_duration(const Node& node) {
  constexpr std::array<std::pair<std::string_view, double>, 5> kUnits{
      {{"min", 60}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
  Node number = node;
  double unit = 1;
  for (const auto& [name, seconds] : kUnits) {
    if (!node.text.ends_with(name)) continue;
    number.text.resize(node.text.size() - name.size());
    while (number.text.ends_with(' ')) number.text.pop_back();
    unit = seconds;
    break;
  }
  const auto value = number_of(number);
  return value ? std::optional(*value * unit) : std::nullopt;
}

void read_timeout(const Node& node, Evaluation& into, Problems& problems) {
  const auto seconds = parse_duration(node);
  if (seconds && *seconds >= 0 && *seconds <= kLongestTimeout) {
    into.timeout_seconds = *seconds;
    return;
  }
  problems.add(node.place, mismatch("evaluate.timeout", node,
                                    "seconds or a time such as 90s, 30min or 2h, at most 30d; 0 "
                                    "for none"));
}

/// What keeps a pattern from finding a metric; "" where nothing does.
std::string pattern_problem(const std::string& pattern) {
  if (pattern.size() > kLongestPattern)
    return fmt::format("has {} characters, at most {} are taken", pattern.size(), kLongestPattern);
  try {
    if (std::regex(pattern).mark_count() > 0) return {};
    return "has no group; put the number in parentheses: 'WER: ([0-9.]+)'";
  } catch (const std::regex_error& error) {
    return fmt::format("is no regular expression ({})", error.what());
  }
}

void read_pattern(const Node& node, Evaluation& into, Problems& problems) {
  const auto pattern = read_text(node, "evaluate.metric.regex", problems);
  if (!pattern) return;
  into.metric_regex = *pattern;
  const std::string problem = pattern_problem(*pattern);
  if (!problem.empty())
    problems.add(node.place, fmt::format("evaluate.metric.regex {} {}", shown(*pattern), problem));
}

void read_metric(const Node& node, Evaluation& into, Problems& problems) {
  if (node.is_scalar()) {
    into.metric = read_text(node, "evaluate.metric", problems).value_or("");
    return;
  }
  if (!check_keys(node, SweepSection::metric, problems)) return;
  into.metric = "metric";
  if (const Node* name = node.find("name"))
    into.metric = read_text(*name, "evaluate.metric.name", problems).value_or("");
  const Node* pattern = node.find("regex");
  if (pattern != nullptr) read_pattern(*pattern, into, problems);
  if (pattern == nullptr)
    problems.add(node.place, "evaluate.metric has no 'regex'; write metric: wer or {regex: '…'}");
}

void read_command(const Node& node, Evaluation& into, Problems& problems) {
  const Node* command = node.find("command");
  const Node* metric = node.find("metric");
  if (command != nullptr)
    into.command = read_text(*command, "evaluate.command", problems).value_or("");
  if (command == nullptr)
    problems.add(node.place,
                 "evaluate has no 'command'; write command: \"… {checkpoint} --out {result}\"");
  if (metric != nullptr) read_metric(*metric, into, problems);
  if (metric == nullptr)
    problems.add(node.place, "evaluate has no 'metric'; name a number of the result: metric: wer");
}

void read_numbers(const Node& node, Evaluation& into, Problems& problems) {
  if (const Node* timeout = node.find("timeout")) read_timeout(*timeout, into, problems);
  if (const Node* workers = node.find("workers")) {
    const auto value = read_number(*workers, "evaluate.workers", kWorkers, problems);
    into.workers = static_cast<int>(value.value_or(1));
  }
  if (const Node* retries = node.find("retries")) {
    const auto value = read_number(*retries, "evaluate.retries", kRetries, problems);
    into.retries = static_cast<int>(value.value_or(0));
  }
}

void read_choices(const Node& node, Evaluation& into, Problems& problems) {
  if (const Node* goal = node.find("goal"))
    into.is_goal_max = read_word(*goal, "evaluate.goal", {"min", "max"}, problems) == 1U;
  if (const Node* format = node.find("format")) {
    const auto index = read_word(*format, "evaluate.format", {"hf", "openai", "run"}, problems);
    into.format = static_cast<CheckpointFormat>(index.value_or(0));
  }
  if (const Node* baselines = node.find("baselines"))
    into.has_baselines = read_boolean(*baselines, "evaluate.baselines", problems).value_or(true);
}

}  // namespace

void read_evaluation(const Node& node, SweepReading& reading) {
  Evaluation& evaluation = reading.sweep.evaluate.emplace();
  if (!check_keys(node, SweepSection::evaluate, reading.problems)) return;
  read_command(node, evaluation, reading.problems);
  read_numbers(node, evaluation, reading.problems);
  read_choices(node, evaluation, reading.problems);
}

}  // namespace koine::recipe
