#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "recipe/sweep_keys.hpp"
#include "recipe/sweep_reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr NumberRange kProbes{
    .low = 2, .high = 1000, .is_whole = true, .expected = "a whole number from 2 to 1000"};
constexpr NumberRange kDraws{
    .low = 1, .high = kMostPoints, .is_whole = true, .expected = "a whole number from 1 to 100000"};
constexpr NumberRange kFactor{
    .low = 1, .high = 100, .is_low_allowed = false, .expected = "a number above 1, at most 100"};
constexpr std::int64_t kUsualProbes = 10;

/// The value of low or high, checked as one of the name that the search is over.
void read_end(const Node* node, const std::string& over, double& into, SweepReading& reading) {
  if (node == nullptr) return;
  static_cast<void>(read_value(over, *node, reading));
  into = number_of(*node).value_or(into);
}

void read_golden(const Node& node, Search& search, SweepReading& reading) {
  static const std::vector<std::string> kOver{"lambda", "density", "weight"};
  search.budget = kUsualProbes;
  if (const Node* budget = node.find("budget"))
    search.budget = static_cast<std::int64_t>(
        read_number(*budget, "search.budget", kProbes, reading.problems).value_or(kUsualProbes));
  const Node* over = node.find("over");
  if (over == nullptr) {
    reading.problems.add(node.place,
                         fmt::format("search has no 'over'; golden looks for the best {}",
                                     fmt::join(kOver, " or ")));
    return;
  }
  const auto index = read_word(*over, "search.over", kOver, reading.problems);
  if (!index) return;
  search.over = kOver[*index];
  reading.sweep.columns = {search.over};
  read_end(node.find("low"), search.over, search.low, reading);
  read_end(node.find("high"), search.over, search.high, reading);
  if (!(search.low < search.high))
    reading.problems.add(node.place, fmt::format("search.low is {}, expected less than high, {}",
                                                 search.low, search.high));
}

/// random and halving: points drawn from a space.
void read_draws(const Node& node, Search& search, SweepReading& reading) {
  Problems& problems = reading.problems;
  if (const Node* seed = node.find("seed"))
    search.seed = read_seed(*seed, "search.seed", problems).value_or(0);
  if (const Node* factor = node.find("factor"))
    search.factor = read_number(*factor, "search.factor", kFactor, problems).value_or(3);
  const Node *budget = node.find("budget"), *space = node.find("space");
  if (budget == nullptr)
    problems.add(node.place, "search has no 'budget'; say how many points are drawn: budget: 20");
  else
    search.budget = static_cast<std::int64_t>(
        read_number(*budget, "search.budget", kDraws, problems).value_or(0));
  if (space == nullptr) {
    problems.add(node.place,
                 "search has no 'space'; write space: {rank: [1, 7], lambda: {low: 0.1, high: 1}}");
    return;
  }
  const auto dimensions = read_space(*space, reading);
  std::size_t bytes = 0;
  for (const Dimension& dimension : dimensions) {
    std::size_t largest = 128;
    for (const SweptValue& value : dimension.choices) largest = std::max(largest, bytes_of(value));
    bytes += largest;
  }
  const auto count = static_cast<std::uint64_t>(search.budget);
  if (problems.empty() && can_hold(count, bytes, space->place, reading))
    draw_points(dimensions, search.budget, search.seed, reading);
}

}  // namespace

void read_search(const Node& node, SweepReading& reading) {
  static const std::vector<std::string> kMethods{"golden", "random", "halving"};
  Search& search = reading.sweep.search.emplace();
  const Node* method = node.find("method");
  if (method == nullptr) {
    reading.problems.add(
        node.place,
        node.is_map()
            ? fmt::format("search has no 'method'; expected {}", fmt::join(kMethods, ", "))
            : mismatch("search", node, "keys and values: {method: random, …}"));
    return;
  }
  const auto index = read_word(*method, "search.method", kMethods, reading.problems);
  if (!index) return;
  search.method = static_cast<Search::Method>(*index);
  const auto section = static_cast<std::size_t>(SweepSection::golden) + *index;
  check_keys(node, static_cast<SweepSection>(section), reading.problems);
  if (search.method == Search::Method::golden)
    read_golden(node, search, reading);
  else
    read_draws(node, search, reading);
}

}  // namespace koine::recipe
