#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr NumberRange kRankRange{
    .low = 0,
    .high = 2147483647,
    .is_whole = true,
    .expected = "a whole number from 0, a share like \"1%\" or {energy: 0.5}"};
constexpr NumberRange kEnergyRange{
    .low = 0, .high = 1, .is_low_allowed = false, .expected = "a number above 0, at most 1"};
constexpr std::size_t kLongestGradient = 1000;

bool fits_all(const ParameterValue::Entry& entry) {
  return entry.filter.empty();
}

double at_fraction(const std::vector<double>& anchors, double fraction) {
  if (anchors.size() == 1) return anchors.front();
  const double position = fraction * static_cast<double>(anchors.size() - 1);
  const auto before = std::min(static_cast<std::size_t>(position), anchors.size() - 2);
  const double share = position - static_cast<double>(before);
  return share == 0 ? anchors[before] : (1 - share) * anchors[before] + share * anchors[before + 1];
}

/// A number or a list of numbers.
std::optional<std::vector<double>> read_gradient(const Node& node, std::string_view label,
                                                 const NumberRange& range, Problems& problems) {
  std::vector<double> anchors;
  if (!node.is_list()) {
    const auto value = read_number(node, label, range, problems);
    if (!value) return std::nullopt;
    return std::vector<double>{*value};
  }
  bool is_good = true;
  for (const Node& item : node.items) {
    const auto value = read_number(item, label, range, problems);
    is_good = is_good && value.has_value();
    anchors.push_back(value.value_or(0));
  }
  if (anchors.empty() || anchors.size() > kLongestGradient) {
    problems.add(node.place, fmt::format("{} is a list of {} values, expected 1 to {}", label,
                                         anchors.size(), kLongestGradient));
    is_good = false;
  }
  return is_good ? std::optional(anchors) : std::nullopt;
}

std::optional<ParameterValue::Entry> read_entry(const Node& node, std::string_view label,
                                                const NumberRange& range, Problems& problems) {
  static const std::vector<std::string> kKeys{"filter", "value"};
  for (const Field& field : node.fields) {
    if (std::find(kKeys.begin(), kKeys.end(), field.key) != kKeys.end()) continue;
    problems.add(field.place,
                 fmt::format("unknown key {} in an entry of {}; it takes filter and value{}",
                             shown(field.key), label, did_you_mean(field.key, kKeys)));
  }
  ParameterValue::Entry entry;
  if (const Node* filter = node.find("filter")) {
    const auto text = read_text(*filter, fmt::format("filter of {}", label), problems);
    entry.filter = text.value_or("") == "*" ? "" : text.value_or("");
  }
  const Node* value = node.find("value");
  if (value == nullptr) {
    problems.add(node.place,
                 fmt::format("an entry of {} has no value; write {{filter: …, value: …}}", label));
    return std::nullopt;
  }
  auto gradient = read_gradient(*value, label, range, problems);
  if (!gradient) return std::nullopt;
  entry.gradient = std::move(*gradient);
  return entry;
}

std::optional<RankValue> read_share(const Node& node, std::string_view label, Problems& problems) {
  Node number = node;
  number.text.pop_back();
  const auto percent = number_of(number);
  if (percent && *percent >= 0 && *percent <= 100) {
    return RankValue{RankValue::Kind::share_of_width, {}, *percent / 100};
  }
  problems.add(node.place, mismatch(label, node, "a share from \"0%\" to \"100%\""));
  return std::nullopt;
}

std::optional<RankValue> read_energy(const Node& node, std::string_view label, Problems& problems) {
  const Node* energy = node.find("energy");
  if (energy == nullptr || node.fields.size() != 1) {
    problems.add(node.place, mismatch(label, node, kRankRange.expected));
    return std::nullopt;
  }
  const auto share =
      read_number(*energy, fmt::format("energy of {}", label), kEnergyRange, problems);
  if (!share) return std::nullopt;
  return RankValue{RankValue::Kind::energy, {}, *share};
}

}  // namespace

bool operator==(const ParameterValue::Entry& a, const ParameterValue::Entry& b) {
  return a.filter == b.filter && a.gradient == b.gradient;
}

std::optional<double> ParameterValue::at(const TensorPlace& place) const {
  for (const Entry& entry : entries) {
    if (!fits_all(entry) && place.openai_name.find(entry.filter) == std::string_view::npos &&
        place.hf_name.find(entry.filter) == std::string_view::npos) {
      continue;
    }
    const bool is_first = !place.is_block || place.layers < 2;
    return at_fraction(
        entry.gradient,
        is_first ? 0.0 : static_cast<double>(place.layer) / static_cast<double>(place.layers - 1));
  }
  return std::nullopt;
}

ParameterValue constant(double value) {
  return ParameterValue{{{"", {value}}}};
}

bool is_total(const ParameterValue& value) {
  return std::any_of(value.entries.begin(), value.entries.end(), fits_all);
}

ParameterValue completed(ParameterValue first, const ParameterValue& second) {
  if (!is_total(first))
    first.entries.insert(first.entries.end(), second.entries.begin(), second.entries.end());
  return first;
}

std::optional<ParameterValue> read_parameter(const Node& node, std::string_view label,
                                             const NumberRange& range, Problems& problems) {
  ParameterValue value;
  const bool has_entries = node.is_list() && !node.items.empty() && node.items.front().is_map();
  if (!has_entries) {
    auto gradient = read_gradient(node, label, range, problems);
    if (!gradient) return std::nullopt;
    value.entries.push_back({"", std::move(*gradient)});
    return value;
  }
  bool is_good = true;
  for (const Node& item : node.items) {
    if (!item.is_map()) {
      problems.add(item.place,
                   mismatch(label, item, "{filter: …, value: …} as in the first entry"));
      is_good = false;
    } else if (auto entry = read_entry(item, label, range, problems)) {
      if (!is_total(value)) value.entries.push_back(std::move(*entry));
    } else {
      is_good = false;
    }
  }
  return is_good ? std::optional(value) : std::nullopt;
}

std::optional<RankValue> read_rank(const Node& node, std::string_view label, Problems& problems) {
  if (node.is_map()) return read_energy(node, label, problems);
  if (node.is_scalar() && node.text.ends_with('%')) return read_share(node, label, problems);
  auto number = read_parameter(node, label, kRankRange, problems);
  if (!number) return std::nullopt;
  return RankValue{RankValue::Kind::number, std::move(*number), 0};
}

}  // namespace koine::recipe
