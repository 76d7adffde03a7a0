#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "recipe/reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();
constexpr NumberRange kFinite{.low = -kLargest, .high = kLargest, .expected = "a finite number"};
constexpr NumberRange kShare{.low = 0, .high = 1, .expected = "a number from 0 to 1"};

/// A parameter of mergekit that nothing here uses: any plain value will do.
void check_foreign(const Field& field, Reading& reading) {
  if (field.value.is_map()) {
    reading.problems.add(field.value.place, mismatch(field.key, field.value, "a value"));
  }
}

void read_one(const Field& field, Parameters& into, Reading& reading) {
  Problems& problems = reading.problems;
  if (field.key == "weight")
    into.weight = read_parameter(field.value, field.key, kFinite, problems);
  if (field.key == "density")
    into.density = read_parameter(field.value, field.key, kShare, problems);
  if (field.key == "lambda")
    into.lambda = read_parameter(field.value, field.key, kFinite, problems);
  if (field.key == "rank") into.rank = read_rank(field.value, field.key, problems);
  if (field.key == "normalize") into.normalize = read_boolean(field.value, field.key, problems);
  if (is_foreign_parameter(field.key)) check_foreign(field, reading);
}

bool is_partial(const RankValue& rank) {
  return rank.kind == RankValue::Kind::number && !is_total(rank.number);
}

/// The one number of a value, or nothing where it depends on the tensor.
std::optional<double> scalar_of(const ParameterValue& value) {
  if (value.entries.size() != 1 || !value.entries[0].filter.empty()) return std::nullopt;
  const auto& gradient = value.entries[0].gradient;
  return gradient.size() == 1 ? std::optional(gradient[0]) : std::nullopt;
}

void settle_rank(const Parameters& global, Reading& reading) {
  Recipe& recipe = reading.recipe;
  constexpr auto kPartial =
      "rank leaves tensors that no filter fits without a rank; add {value: N} as its last entry";
  if (global.rank) recipe.rank = *global.rank;
  if (is_partial(recipe.rank) && global.rank)
    reading.problems.add(reading.written.at("parameters.rank"), kPartial);
  for (std::size_t i = 0; i < recipe.models.size(); ++i) {
    auto& rank = recipe.models[i].rank;
    if (!rank || !is_partial(*rank)) continue;
    if (recipe.rank.kind == RankValue::Kind::number)
      rank->number = completed(rank->number, recipe.rank.number);
    if (!is_partial(*rank)) continue;
    reading.problems.add(
        reading.written.at(fmt::format("models[{}].parameters.rank", reading.experts_at[i])),
        kPartial);
  }
}

void settle_lambda(const Parameters& global, Reading& reading) {
  Recipe& recipe = reading.recipe;
  const bool is_share = reading.method != nullptr && reading.method->is_share_of_experts;
  const auto experts = static_cast<double>(std::max<std::size_t>(recipe.models.size(), 1));
  const ParameterValue otherwise = constant(is_share ? 1.0 / experts : 1.0);
  recipe.lambda = completed(global.lambda.value_or(ParameterValue{}), otherwise);
}

/// Dividing by a sum of weights that is zero everywhere has no result.
void check_weight_sum(const Node* models_place, Reading& reading) {
  const Recipe& recipe = reading.recipe;
  const bool is_divided =
      reading.method != nullptr && reading.method->uses("normalize") && !reading.method->needs_base;
  if (!is_divided || !recipe.normalize.value_or(false) || models_place == nullptr) return;
  double sum = 0;
  std::vector<const ModelEntry*> all;
  all.reserve(recipe.models.size() + 1);
  for (const ModelEntry& model : recipe.models) all.push_back(&model);
  if (recipe.base_as_model) all.push_back(&*recipe.base_as_model);
  for (const ModelEntry* model : all) {
    const auto weight = model->weight ? scalar_of(*model->weight) : std::nullopt;
    if (!weight) return;
    sum += *weight;
  }
  if (sum != 0 || all.empty()) return;
  reading.problems.add(models_place->place,
                       "the weights add up to 0 and normalize divides by their sum; "
                       "change a weight or set normalize: false");
}

}  // namespace

void Reading::warn(const Place& place, const std::string& text) {
  recipe.warnings.push_back(fmt::format("{}: {}", problems.where(place), text));
}

void Reading::note_unused(const std::string& parameter) {
  if (std::find(unused.begin(), unused.end(), parameter) == unused.end())
    unused.push_back(parameter);
}

Parameters read_parameters(const Node* node, Section section, const std::string& prefix,
                           Reading& reading) {
  Parameters parameters;
  if (node == nullptr || !check_keys(*node, section, reading.problems)) return parameters;
  for (const Field& field : node->fields) {
    if (field.value.is_null()) continue;
    read_one(field, parameters, reading);
    reading.written[prefix + field.key] = field.value.place;
    const bool is_global_only = field.key == "lambda" || field.key == "normalize";
    if (section == Section::model_parameters && is_global_only) {
      reading.note_unused(field.key + " of a single model");
    } else if (reading.method != nullptr && !reading.method->uses(field.key)) {
      const auto& known = keys_of(section);
      if (std::find(known.begin(), known.end(), field.key) != known.end())
        reading.note_unused(field.key);
    }
  }
  return parameters;
}

void settle_parameters(const Parameters& global, const Node& root, Reading& reading) {
  Recipe& recipe = reading.recipe;
  settle_rank(global, reading);
  recipe.density = completed(global.density.value_or(ParameterValue{}), constant(0.2));
  for (ModelEntry& model : recipe.models) {
    if (model.density) model.density = completed(*model.density, recipe.density);
  }
  settle_lambda(global, reading);
  if (reading.method != nullptr && reading.method->uses("normalize")) {
    recipe.normalize = global.normalize.value_or(reading.method->normalize);
  }
  check_weight_sum(root.find("models"), reading);
}

}  // namespace koine::recipe
