#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

#include <fmt/format.h>

#include "core/text.hpp"
#include "recipe/sweep_keys.hpp"
#include "recipe/sweep_reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

/// Names that a range can be given for.
bool is_number_name(const std::string& name) {
  static const std::set<std::string> kNumbers{"rank", "density", "lambda", "weight",
                                              "svd.tolerance"};
  return kNumbers.contains(name);
}

/// One end of a range, checked as a value of that name.
std::optional<double> read_end(const Node& range, const Dimension& dimension,
                               const std::string& key, SweepReading& reading) {
  const Node* node = range.find(key);
  if (node == nullptr) {
    reading.problems.add(range.place,
                         fmt::format("the range of {} has no '{}'", dimension.name, key));
    return std::nullopt;
  }
  static_cast<void>(read_value(dimension.name, *node, reading));
  const auto value = number_of(*node);
  if (!value && node->is_scalar() && node->text.ends_with('%'))
    reading.problems.add(node->place,
                         fmt::format("a range of {} is between numbers; list shares as "
                                     "[\"1%\", \"2%\"]",
                                     dimension.name));
  return value;
}

void read_range(const Node& range, Dimension& into, SweepReading& reading) {
  if (!check_keys(range, SweepSection::range, reading.problems)) return;
  into.is_whole = into.name == "rank";
  if (const Node* log = range.find("log"))
    into.is_log =
        read_boolean(*log, fmt::format("log of {}", into.name), reading.problems).value_or(false);
  const auto low = read_end(range, into, "low", reading),
             high = read_end(range, into, "high", reading);
  if (!low || !high) return;
  into.low = *low;
  into.high = *high;
  if (!(into.low < into.high))
    reading.problems.add(range.place, fmt::format("low of {} is {}, expected less than high, {}",
                                                  into.name, *low, *high));
  if (into.is_log && !(into.low > 0))
    reading.problems.add(
        range.place, fmt::format("low of {} is {}, expected above 0 with log", into.name, *low));
}

void read_choices(const Node& list, Dimension& into, SweepReading& reading) {
  if (list.items.empty())
    reading.problems.add(list.place,
                         fmt::format("{} of space is empty; list at least one value", into.name));
  for (const Node& item : list.items) {
    if (item.is_null())
      reading.problems.add(item.place, fmt::format("{} of space holds an empty value", into.name));
    if (auto value = item.is_null() ? std::nullopt : read_value(into.name, item, reading))
      into.choices.push_back(std::move(*value));
  }
}

/// Draws from the numbers alone that the standard fixes: the same points everywhere.
class Drawing {
 public:
  explicit Drawing(std::uint64_t seed) : random_(seed) {}

  SweptValue draw(const Dimension& dimension) {
    const double share = static_cast<double>(random_() >> 11U) * 0x1p-53;  // [0, 1)
    const std::size_t count = dimension.choices.size();
    if (count > 0)
      return dimension.choices[static_cast<std::size_t>(share * static_cast<double>(count))];
    const double value = dimension.is_whole ? whole(dimension, share) : rounded(dimension, share);
    return make_value(dimension.name, Node{.kind = Node::Kind::scalar,
                                           .text = number_text(value),
                                           .fields = {},
                                           .place = dimension.place});
  }

 private:
  static double between(double low, double high, double share, bool is_log) {
    return is_log ? low * std::exp(share * std::log(high / low)) : low + share * (high - low);
  }

  static double whole(const Dimension& of, double share) {
    return std::clamp(std::floor(between(of.low, of.high + 1, share, of.is_log)), of.low, of.high);
  }

  /// Four digits: readable, and the same where exp and log differ in their last bit.
  static double rounded(const Dimension& of, double share) {
    const Node text{.kind = Node::Kind::scalar,
                    .text = fmt::format("{:.4g}", between(of.low, of.high, share, of.is_log)),
                    .fields = {}};
    return std::clamp(number_of(text).value_or(of.low), of.low, of.high);
  }

  std::mt19937_64 random_;
};

}  // namespace

std::vector<Dimension> read_space(const Node& node, SweepReading& reading) {
  std::vector<Dimension> space;
  if (!node.is_map()) {
    reading.problems.add(node.place, mismatch("search.space", node, "lists and ranges by name"));
    return space;
  }
  if (node.fields.empty()) reading.problems.add(node.place, "search.space is empty");
  for (const Field& field : node.fields) {
    if (!add_column(field, "search.space", reading)) continue;
    Dimension& dimension =
        space.emplace_back(Dimension{.name = field.key, .place = field.value.place, .choices = {}});
    const bool has_range = is_number_name(field.key);
    if (field.value.is_list())
      read_choices(field.value, dimension, reading);
    else if (field.value.is_map() && has_range)
      read_range(field.value, dimension, reading);
    else
      reading.problems.add(field.value.place,
                           mismatch(fmt::format("{} of space", field.key), field.value,
                                    has_range ? "a list of values or a range {low: …, high: …}"
                                              : "a list of values"));
  }
  return space;
}

void draw_points(const std::vector<Dimension>& space, std::int64_t count, std::uint64_t seed,
                 SweepReading& reading) {
  Drawing drawing(seed);
  std::set<std::string> seen;
  auto& points = reading.sweep.points;
  // Where the space holds no more than the budget, the last ones are long in coming.
  for (std::int64_t tries = 20 * count + 1000; tries > 0 && std::ssize(points) < count; --tries) {
    std::vector<SweptValue> values;
    std::string text;
    for (const Dimension& dimension : space) {
      values.push_back(drawing.draw(dimension));
      text += values.back().text + '\n';
    }
    if (!seen.insert(std::move(text)).second) continue;
    add_point(values, reading);
  }
  if (std::ssize(points) == count) return;
  reading.sweep.warnings.push_back(
      fmt::format("{}: search.space holds few points: {} different ones were drawn, budget is {}",
                  reading.problems.where(space.front().place), points.size(), count));
}

}  // namespace koine::recipe
