#include "recipe/keys.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/text.hpp"
#include "recipe/sweep_keys.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

using Words = std::vector<std::string>;

const Words kTop{"merge_method",  "base_model", "models", "parameters",       "density_over",
                 "select",        "others",     "dtype",  "out_dtype",        "semantics",
                 "seed",          "svd",        "output", "tokenizer_source", "tokenizer",
                 "chat_template", "slices",     "modules"};
const Words kModel{"model", "name", "parameters"};
const Words kOwnParameters{"weight", "rank", "density", "lambda", "normalize"};
const Words kForeignParameters{
    "rescale",     "int8_mask", "t",   "nuslerp_flatten", "nuslerp_row_wise",
    "eps",         "max_iter",  "tol", "gamma",           "normalize_weights",
    "select_topk", "epsilon",   "r",   "alpha",           "filter_wise",
    "scale"};
const Words kModelParameters{"weight", "rank", "density"};
const Words kSvd{"mode", "tolerance"};
const Words kOutput{"path", "shards"};

Words all_parameters() {
  Words all = kOwnParameters;
  all.insert(all.end(), kForeignParameters.begin(), kForeignParameters.end());
  return all;
}

bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// How a message names the section, and how the documentation does.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNames{
    {{"the recipe", ""},
     {"an entry of models", "models[]."},
     {"parameters", "parameters."},
     {"parameters of a model", "models[].parameters."},
     {"svd", "svd."},
     {"output", "output."}}};

/// "; it belongs under parameters" for a key that another section knows.
std::string hint(std::string_view key, Section section) {
  if (section == Section::top && is_sweep_key(key)) return "; it belongs in a file for koine sweep";
  std::string near = did_you_mean(key, keys_of(section));
  if (!near.empty()) return near;
  for (const Section other :
       {Section::top, Section::parameters, Section::model, Section::svd, Section::output}) {
    if (other == section || !contains(keys_of(other), key)) continue;
    if (other == Section::top) return "; it belongs at the top level";
    return fmt::format("; it belongs in {}", kNames[static_cast<std::size_t>(other)].first);
  }
  return {};
}

}  // namespace

const Words& keys_of(Section section) {
  static const Words kParameters = all_parameters();
  switch (section) {
    case Section::top:
      return kTop;
    case Section::model:
      return kModel;
    case Section::svd:
      return kSvd;
    case Section::output:
      return kOutput;
    case Section::parameters:
    case Section::model_parameters:
      break;
  }
  return kParameters;
}

bool is_foreign_parameter(std::string_view name) {
  return contains(kForeignParameters, name);
}

std::vector<std::string> known_keys() {
  std::vector<std::string> all;
  for (const Section section : {Section::top, Section::model, Section::parameters,
                                Section::model_parameters, Section::svd, Section::output}) {
    const Words& keys = section == Section::model_parameters ? kModelParameters : keys_of(section);
    for (const std::string& key : keys) {
      all.push_back(fmt::format("{}{}", kNames[static_cast<std::size_t>(section)].second, key));
    }
  }
  return all;
}

bool check_keys(const Node& node, Section section, Problems& problems) {
  const std::string_view name = kNames[static_cast<std::size_t>(section)].first;
  if (!node.is_map()) {
    problems.add(node.place, mismatch(name, node, "keys and values"));
    return false;
  }
  for (const Field& field : node.fields) {
    if (contains(keys_of(section), field.key)) continue;
    problems.add(field.place, fmt::format("unknown key {} in {}{}", shown(field.key), name,
                                          hint(field.key, section)));
  }
  return true;
}

}  // namespace koine::recipe
