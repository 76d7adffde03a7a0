#include <fmt/format.h>

#include "core/json.hpp"
#include "recipe/reading.hpp"

namespace koine::recipe {
namespace {

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

class Lister {
 public:
  explicit Lister(Reading& reading) : reading_(reading) {}

  /// @param deciding keys that may have set it, the nearest first
  void add(const std::string& key, const std::string& value,
           const std::vector<std::string>& deciding) {
    std::string origin = "default";
    for (const std::string& name : deciding) {
      const auto found = reading_.written.find(name);
      if (found == reading_.written.end()) continue;
      origin = reading_.problems.origin(found->second);
      break;
    }
    reading_.recipe.settings.push_back({key, value, origin});
  }

  void add_model(const Json& model, const std::string& prefix) {
    add(prefix + "model", text_of(model["model"]), {prefix + "model"});
    add(prefix + "name", text_of(model["name"]), {prefix + "name"});
    for (const auto& [key, value] : model["parameters"].items()) {
      const std::string common = fmt::format("parameters.{}", key);
      const std::string own = prefix + common;
      add(own, text_of(value), {own, common});
    }
  }

  void add_section(const Json& section, const std::string& name) {
    for (const auto& [key, value] : section.items()) {
      const std::string place = fmt::format("{}.{}", name, key);
      add(place, text_of(value), {place});
    }
  }

 private:
  Reading& reading_;
};

/// Where each model of the canonical list stands in the file's.
std::vector<std::size_t> positions(const Reading& reading, std::size_t count) {
  std::vector<std::size_t> all = reading.experts_at;
  if (count == all.size()) return all;
  const auto before = static_cast<std::ptrdiff_t>(reading.recipe.base_position);
  all.insert(all.begin() + before, reading.base_at);  // the base is counted too
  return all;
}

}  // namespace

void list_settings(Reading& reading) {
  Lister lister(reading);
  const Json document = Json::parse(canonical_json(reading.recipe));
  for (const auto& [key, value] : document.items()) {
    if (key == "models") {
      const auto at = positions(reading, value.size());
      for (std::size_t i = 0; i < value.size(); ++i)
        lister.add_model(value[i], fmt::format("models[{}].", at[i]));
    } else if (key == "parameters" || key == "svd" || key == "output") {
      lister.add_section(value, key);
    } else {
      lister.add(key, key == "out_dtype" && value.is_null() ? "as in the base" : text_of(value),
                 {key});
    }
  }
  lister.add("output.path", reading.recipe.output_path, {"output.path"});
}

}  // namespace koine::recipe
