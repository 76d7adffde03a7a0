#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/json.hpp"
#include "recipe/flow.hpp"
#include "recipe/method_table.hpp"
#include "recipe/recipe.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr std::array<const char*, 3> kOthers{"dense", "base", "average"};
constexpr std::array<const char*, 2> kDensityOver{"matrix", "model"};
constexpr std::array<const char*, 3> kModes{"exact", "certified", "fast"};
constexpr std::array<const char*, 2> kShards{"layer", "fine"};

Json number_json(double value, bool is_whole) {
  return is_whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json gradient_json(const std::vector<double>& gradient, bool is_whole) {
  if (gradient.size() == 1) return number_json(gradient[0], is_whole);
  Json list = Json::array();
  for (const double value : gradient) list.push_back(number_json(value, is_whole));
  return list;
}

Json value_json(const ParameterValue& value, bool is_whole = false) {
  if (value.entries.size() == 1 && value.entries[0].filter.empty()) {
    return gradient_json(value.entries[0].gradient, is_whole);
  }
  Json list = Json::array();
  for (const auto& [filter, gradient] : value.entries) {
    list.push_back(
        {{"filter", filter.empty() ? "*" : filter}, {"value", gradient_json(gradient, is_whole)}});
  }
  return list;
}

Json rank_json(const RankValue& rank) {
  switch (rank.kind) {
    case RankValue::Kind::number:
      return value_json(rank.number, true);
    case RankValue::Kind::energy:
      return Json{{"energy", rank.share}};
    case RankValue::Kind::share_of_width:
      break;
  }
  return percent_text(rank.share);
}

bool uses(const Recipe& recipe, std::string_view parameter) {
  const Method* method = find_method(recipe.merge_method);
  return method == nullptr || method->uses(parameter);
}

Json model_json(const Recipe& recipe, const ModelEntry& model) {
  Json parameters = Json::object();
  if (model.weight) parameters["weight"] = value_json(*model.weight);
  if (model.rank && uses(recipe, "rank")) parameters["rank"] = rank_json(*model.rank);
  if (model.density && uses(recipe, "density")) parameters["density"] = value_json(*model.density);
  return {{"model", model.written}, {"name", model.name}, {"parameters", parameters}};
}

/// The experts, and the base where the method counts it.
Json models_json(const Recipe& recipe) {
  const Method* method = find_method(recipe.merge_method);
  const bool is_counted = method != nullptr && !method->needs_base && recipe.base_as_model;
  Json list = Json::array();
  for (std::size_t i = 0; i <= recipe.models.size(); ++i) {
    if (is_counted && i == recipe.base_position)
      list.push_back(model_json(recipe, *recipe.base_as_model));
    if (i < recipe.models.size()) list.push_back(model_json(recipe, recipe.models[i]));
  }
  return list;
}

Json parameters_json(const Recipe& recipe) {
  Json parameters = Json::object();
  if (uses(recipe, "rank")) parameters["rank"] = rank_json(recipe.rank);
  if (uses(recipe, "density")) parameters["density"] = value_json(recipe.density);
  if (uses(recipe, "lambda")) parameters["lambda"] = value_json(recipe.lambda);
  if (uses(recipe, "normalize") && recipe.normalize) parameters["normalize"] = *recipe.normalize;
  return parameters;
}

Json document(const Recipe& recipe) {
  const Method* method = find_method(recipe.merge_method);
  Json root = Json::object();
  root["merge_method"] = recipe.merge_method;
  if (recipe.base) root["base_model"] = recipe.base->written;
  root["models"] = models_json(recipe);
  root["parameters"] = parameters_json(recipe);
  if (uses(recipe, "density"))
    root["density_over"] = kDensityOver.at(static_cast<std::size_t>(recipe.density_over));
  if (method == nullptr || !method->select.empty()) {
    root["select"] = recipe.select;
    root["others"] = kOthers.at(static_cast<std::size_t>(recipe.others));
  }
  root["out_dtype"] = recipe.out_dtype ? Json(recipe_name(*recipe.out_dtype)) : Json(nullptr);
  root["semantics"] = recipe.semantics;
  root["seed"] = recipe.seed;
  if (method == nullptr || method->has_factors) {
    root["svd"] = {{"mode", kModes.at(static_cast<std::size_t>(recipe.svd_mode))},
                   {"tolerance", recipe.svd_tolerance}};
  }
  root["output"] = {{"shards", kShards.at(static_cast<std::size_t>(recipe.shards))}};
  return root;
}

/// A value on one line.
std::string flow(const Json& value) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return is_plain_word(text) ? text : value.dump();
  }
  if (value.is_number_float()) return dotted(value.dump());
  if (!value.is_structured()) return value.dump();
  std::string inside;
  for (const auto& [key, item] : value.items()) {
    if (!inside.empty()) inside += ", ";
    inside += value.is_object() ? key + ": " + flow(item) : flow(item);
  }
  return value.is_object() ? "{" + inside + "}" : "[" + inside + "]";
}

std::string models_yaml(const Json& models) {
  std::string text = "models:\n";
  for (const Json& model : models) {
    const char* lead = "  - ";
    for (const auto& [name, item] : model.items())
      text += fmt::format("{}{}: {}\n", std::exchange(lead, "    "), name, flow(item));
  }
  return text;
}

}  // namespace

std::string canonical_json(const Recipe& recipe) {
  return to_text(document(recipe));
}

std::string canonical_yaml(const Recipe& recipe) {
  const Json root = document(recipe);
  std::string text;
  for (const auto& [key, value] : root.items()) {
    if (key == "models") {
      text += models_yaml(value);
    } else if (value.is_object() && !value.empty()) {
      text += key + ":\n";
      for (const auto& [name, item] : value.items())
        text += fmt::format("  {}: {}\n", name, flow(item));
    } else {
      text += fmt::format("{}: {}\n", key, flow(value));
    }
  }
  return text;
}

}  // namespace koine::recipe
