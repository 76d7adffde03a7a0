#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "recipe/sweep_reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

/// The values of one key of a grid; an empty one keeps the recipe's own.
using Axis = std::vector<std::optional<SweptValue>>;

std::optional<Axis> read_axis(const Field& field, SweepReading& reading) {
  const Node& list = field.value;
  if (!list.is_list() || list.items.empty()) {
    const std::string label = fmt::format("{} of grid", field.key);
    reading.problems.add(list.place, list.is_list() ? label + " is empty; list at least one value"
                                                    : mismatch(label, list, "a list of values"));
    return std::nullopt;
  }
  Axis axis;
  for (const Node& item : list.items) {
    axis.push_back(item.is_null() ? std::nullopt : read_value(field.key, item, reading));
  }
  return axis;
}

std::size_t largest(const Axis& axis) {
  std::size_t bytes = 0;
  for (const auto& value : axis) bytes = std::max(bytes, value ? bytes_of(*value) : 0);
  return bytes;
}

/// The cartesian product; the last axis changes fastest.
void multiply(const std::vector<Axis>& axes, SweepReading& reading) {
  std::vector<std::size_t> at(axes.size());
  while (true) {
    std::vector<const SweptValue*> values;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (const auto& value = axes[i][at[i]]) values.push_back(&*value);
    }
    add_point(values, reading);
    std::size_t turning = axes.size();
    while (turning > 0 && ++at[turning - 1] == axes[turning - 1].size()) at[--turning] = 0;
    if (turning == 0) return;
  }
}

}  // namespace

void read_grid(const Node& node, SweepReading& reading) {
  if (!node.is_map()) {
    reading.problems.add(node.place, mismatch("grid", node, "lists of values: {rank: [1, 7], …}"));
    return;
  }
  if (node.fields.empty())
    reading.problems.add(node.place, "grid is empty; write {rank: [1, 7], …}");
  std::vector<Axis> axes;
  std::uint64_t points = 1;
  std::size_t bytes = 0;
  for (const Field& field : node.fields) {
    if (!add_column(field, "grid", reading)) continue;
    auto axis = read_axis(field, reading);
    if (!axis) continue;
    points = std::min<std::uint64_t>(points * axis->size(), kMostPoints + 1);
    bytes += largest(*axis);
    axes.push_back(std::move(*axis));
  }
  if (!axes.empty() && can_hold(points, bytes, node.place, reading)) multiply(axes, reading);
}

}  // namespace koine::recipe
