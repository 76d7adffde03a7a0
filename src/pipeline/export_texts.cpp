#include "pipeline/export_texts.hpp"

#include <algorithm>
#include <regex>
#include <vector>

#include <fmt/format.h>

#include "core/json.hpp"
#include "core/text.hpp"

namespace koine::pipeline {
namespace {

bool is_scalar_list(const Json& value) {
  return value.is_array() &&
         std::none_of(value.begin(), value.end(), [](const Json& v) { return v.is_structured(); });
}

/// JSON text is YAML but for numbers like 1e-06, which YAML 1.1 takes for text.
std::string scalar(const Json& value) {
  if (is_scalar_list(value)) {
    std::string text;
    for (const Json& item : value) text += (text.empty() ? "" : ", ") + scalar(item);
    return "[" + text + "]";
  }
  std::string text = value.dump();
  if (!value.is_number_float()) return text;
  const auto exponent = text.find('e');
  return exponent != std::string::npos && text.find('.') == std::string::npos
             ? text.insert(exponent, ".0")
             : text;
}

/// Appends `value` in block style; `indent` is that of its members. At most 16 levels: the parser's
/// limit.
void emit(const Json& value, int indent, std::string& out) {
  const std::string pad(static_cast<std::size_t>(indent), ' ');
  for (const auto& [key, item] : value.items()) {
    const std::string lead = value.is_array() ? pad + "-" : pad + key + ":";
    if (!item.is_structured() || item.empty() || is_scalar_list(item)) {
      out += lead + " " + scalar(item) + "\n";
    } else if (value.is_array() && item.is_object()) {
      std::string inner;
      emit(item, indent + 2, inner);
      inner[static_cast<std::size_t>(indent)] = '-';  // the first member stands on the dash's line
      out += inner;
    } else {
      out += lead + "\n";
      emit(item, indent + 2, out);
    }
  }
}

std::string yaml_of(const Json& recipe) {
  std::string text;
  emit(recipe, 0, text);
  return text;
}

std::string text_at(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// The base first, then the experts, as the recipe writes them.
std::vector<std::string> models_of(const Json& recipe) {
  std::vector<std::string> models;
  if (const std::string base = text_at(recipe, "base_model"); !base.empty()) models.push_back(base);
  const auto listed = recipe.find("models");
  if (listed == recipe.end()) return models;
  for (const Json& entry : *listed) {
    const std::string model = text_at(entry, "model");
    if (std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
  }
  return models;
}

/// A name that can stand in a sentence of Markdown.
std::string quoted(const std::string& text) {
  return "`" + text + "`";
}

}  // namespace

std::string recipe_yaml(const std::string& recipe_json, const std::string& where) {
  return std::string(kExportMark) + yaml_of(parse_strict_json(recipe_json, where));
}

std::string model_card(const std::string& recipe_json, DType dtype, const std::string& where) {
  const Json recipe = parse_strict_json(recipe_json, where);
  const std::string method = text_at(recipe, "merge_method");
  const std::vector<std::string> models = models_of(recipe);
  std::string card = "---\nbase_model:\n";
  for (const std::string& model : models) card += "  - " + Json(model).dump() + "\n";
  card += fmt::format(
      "base_model_relation: merge\nlibrary_name: transformers\npipeline_tag: "
      "automatic-speech-recognition\n"
      "tags:\n  - merge\n  - koine\n  - whisper\n  - {}\n---\n\n# Merged Whisper\n\n"
      "Merged by [Koine](koine_config.yml) with the method `{}`, from the base {} and these "
      "experts:\n\n",
      method, method, models.empty() ? "-" : quoted(models.front()));
  for (std::size_t i = 1; i < models.size(); ++i) card += "- " + quoted(models[i]) + "\n";
  return card + fmt::format(
                    "\nWeights are stored as {}. The recipe, with every setting (the same as "
                    "`koine_config.yml`):\n\n"
                    "```yaml\n{}```\n",
                    recipe_name(dtype), yaml_of(recipe));
}

std::string config_with_dtype(const std::string& config, DType dtype, const std::string& where) {
  Json document = parse_strict_json(config, where);
  const std::string name(recipe_name(dtype));
  const std::string key =
      document.contains("dtype") && !document.contains("torch_dtype") ? "dtype" : "torch_dtype";
  if (text_at(document, key.c_str()) == name) return config;
  const std::regex field("\"" + key + R"("(\s*:\s*)("[A-Za-z0-9_.]*"|null))");
  const auto matches = std::distance(std::sregex_iterator(config.begin(), config.end(), field),
                                     std::sregex_iterator());
  if (matches == 1) return std::regex_replace(config, field, "\"" + key + "\"$1\"" + name + "\"");
  document[key] = name;
  return to_text(document);
}

}  // namespace koine::pipeline
