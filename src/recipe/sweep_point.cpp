#include <sstream>

#include <fmt/format.h>

#include "core/error.hpp"
#include "recipe/sweep.hpp"
#include "recipe/sweep_reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

/// "sweep.yaml: point 12 (rank 7, density 0.2)".
std::string label_of(const Sweep& sweep, const SweepPoint& point) {
  std::string settings;
  for (const auto& [name, value] : point.settings)
    settings += fmt::format("{}{} {}", settings.empty() ? "" : ", ", name, value);
  settings = shown(settings);
  return fmt::format(
      "{}: point{}{}", sweep.file, point.number == 0 ? "" : fmt::format(" {}", point.number),
      point.settings.empty() ? "" : fmt::format(" ({})", settings.substr(1, settings.size() - 2)));
}

/// Every line of a message with the point before it, where the message does not begin so.
std::string labelled(const std::string& message, const std::string& label) {
  std::istringstream lines(message);
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    if (!all.empty()) all += '\n';
    all += line.starts_with(label) ? line : fmt::format("{}: {}", label, line);
  }
  return all;
}

}  // namespace

Recipe recipe_of(const Sweep& sweep, const SweepPoint& point,
                 const std::vector<std::string>& overrides) {
  const std::string label = label_of(sweep, point);
  try {
    return read(sweep.recipe_path, {.overrides = overrides,
                                    .output = {},
                                    .settings = point.overrides,
                                    .experts = point.experts,
                                    .weights = point.weights,
                                    .settings_label = label});
  } catch (const InputError& error) {
    throw InputError(labelled(error.what(), label));
  }
}

SweepPoint probe(const Search& search, double value) {
  const SweptValue swept = make_value(
      search.over,
      Node{.kind = Node::Kind::scalar, .text = number_text(value), .fields = {}, .place = {}});
  SweepPoint point;
  point.settings = {{swept.name, swept.text}};
  point.overrides = {swept.override};
  return point;
}

}  // namespace koine::recipe
