#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "recipe/sweep_keys.hpp"
#include "recipe/sweep_reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;  // of all points together

/// Weights are one number for each expert of their point; the first misfit of each list is told.
void check_weights(const std::vector<const SweptValue*>& values, SweepReading& reading) {
  const std::vector<double>* weights = nullptr;
  std::size_t wanted = reading.experts ? reading.experts->size() : 0;
  std::string whose = "the recipe's experts", text;
  Place place;
  for (const SweptValue* value : values) {
    if (value->weights) {
      weights = &*value->weights;
      text = value->text;
      place = value->place;
    }
    if (value->experts) {
      wanted = value->experts->size();
      whose = fmt::format("the experts {}", value->text);
    }
  }
  if (weights == nullptr || wanted == 0 || weights->size() == wanted) return;
  if (!reading.misfits.insert({place.line, place.column}).second) return;
  reading.problems.add(place, fmt::format("weights {} holds {} numbers for {}, expected {}", text,
                                          weights->size(), whose, wanted));
}

}  // namespace

bool add_column(const Field& field, std::string_view where, SweepReading& reading) {
  if (!recipe_key_of(field.key)) {
    reading.problems.add(field.place, unknown_name(field.key, where));
    return false;
  }
  auto& columns = reading.sweep.columns;
  if (std::find(columns.begin(), columns.end(), field.key) == columns.end())
    columns.push_back(field.key);
  return true;
}

std::size_t bytes_of(const SweptValue& value) {
  std::size_t bytes = 128 + 2 * (value.name.size() + value.text.size());
  if (value.experts) bytes += value.experts->size() * sizeof(std::string) + value.text.size();
  if (value.weights) bytes += value.weights->size() * sizeof(double);
  return bytes;
}

bool can_hold(std::uint64_t points, std::size_t bytes_each, const Place& place,
              SweepReading& reading) {
  if (points > static_cast<std::uint64_t>(kMostPoints)) {
    reading.problems.add(
        place, fmt::format("makes more than {} points; shorten its lists, or draw some of them "
                           "with search: {{method: random, …}}",
                           human_count(kMostPoints)));
    return false;
  }
  if (bytes_each == 0 || points <= kMostBytes / bytes_each) return true;
  reading.problems.add(place, "makes points that take more than 256 MiB; shorten its texts");
  return false;
}

void add_point(const std::vector<const SweptValue*>& values, SweepReading& reading) {
  check_weights(values, reading);
  SweepPoint point;
  for (const std::string& column : reading.sweep.columns) {
    for (const SweptValue* value : values) {
      if (value->name != column) continue;
      point.settings.emplace_back(value->name, value->text);
      if (!value->override.empty()) point.overrides.push_back(value->override);
      if (value->experts) point.experts = value->experts;
      if (value->weights) point.weights = value->weights;
    }
  }
  point.number = static_cast<std::int64_t>(reading.sweep.points.size()) + 1;
  reading.sweep.points.push_back(std::move(point));
}

void add_point(const std::vector<SweptValue>& values, SweepReading& reading) {
  std::vector<const SweptValue*> pointers(values.size());
  std::transform(values.begin(), values.end(), pointers.begin(),
                 [](const SweptValue& value) { return &value; });
  add_point(pointers, reading);
}

void read_points(const Node& node, SweepReading& reading) {
  if (!node.is_list()) {
    reading.problems.add(node.place, mismatch("points", node, "a list such as [{rank: 7}, …]"));
    return;
  }
  if (node.items.empty()) reading.problems.add(node.place, "points is empty; write [{rank: 7}, …]");
  std::vector<std::vector<SweptValue>> points;
  for (const Node& item : node.items) {
    if (!item.is_map())
      reading.problems.add(item.place, mismatch("a point", item, "settings such as {rank: 7}"));
    auto& values = points.emplace_back();
    for (const Field& field : item.fields) {
      if (!add_column(field, "a point", reading) || field.value.is_null()) continue;
      if (auto value = read_value(field.key, field.value, reading))
        values.push_back(std::move(*value));
    }
  }
  for (const auto& values : points) add_point(values, reading);
}

}  // namespace koine::recipe
