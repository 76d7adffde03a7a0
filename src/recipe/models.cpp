#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "recipe/paths.hpp"
#include "recipe/reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr std::size_t kLongestName = 200;

/// A model as read, before it is known whether it is the base or an expert.
struct Listed {
  ModelEntry entry;
  Place place;
  std::size_t index = 0;
  std::string identity;  ///< one text for one file or folder; empty where it was not found
};

std::string identity_of(const std::string& path) {
  if (path.empty()) return {};
  std::error_code code;
  const auto real = std::filesystem::weakly_canonical(path, code);
  return code ? path : real.string();
}

/// Text -> written, path and name. @return false where it is no path of something that is there
bool read_path(const Node& node, std::string_view label, ModelEntry& into, Reading& reading) {
  const auto written = read_text(node, label, reading.problems);
  if (!written) return false;
  into.written = *written;
  ResolvedPath found = resolve_path(*written, reading.folder);
  if (!found.problem.empty())
    reading.problems.add(node.place, fmt::format("{} {}", label, found.problem));
  if (!found.warning.empty()) reading.warn(node.place, fmt::format("{} {}", label, found.warning));
  into.path = std::move(found.path);
  into.name = last_part(into.written, into.path);
  return !into.path.empty();
}

void read_name(const Node& node, ModelEntry& into, Reading& reading) {
  const auto name = read_text(node, "name", reading.problems);
  if (!name) return;
  const bool is_good = name->size() <= kLongestName && name->find('/') == std::string::npos &&
                       name->find_first_of("\n\t") == std::string::npos;
  if (!is_good) {
    reading.problems.add(
        node.place,
        mismatch("name", node,
                 fmt::format("a word of at most {} characters without '/'", kLongestName)));
  }
  into.name = *name;
}

Listed read_model(const Node& node, std::size_t index, const Parameters& global, Reading& reading) {
  Listed listed{.entry = {}, .place = node.place, .index = index, .identity = {}};
  ModelEntry& entry = listed.entry;
  const std::string prefix = fmt::format("models[{}].", index);
  if (!node.is_map()) {
    reading.problems.add(node.place,
                         mismatch(fmt::format("models[{}]", index), node, "{model: PATH}"));
    return listed;
  }
  check_keys(node, Section::model, reading.problems);
  if (const Node* model = node.find("model")) {
    reading.written[prefix + "model"] = listed.place = model->place;
    read_path(*model, "model", entry, reading);
  } else {
    reading.problems.add(node.place,
                         fmt::format("models[{}] has no 'model'; write model: PATH", index));
  }
  if (const Node* name = node.find("name")) {
    reading.written[prefix + "name"] = name->place;
    read_name(*name, entry, reading);
  }
  Parameters own = read_parameters(node.find("parameters"), Section::model_parameters,
                                   prefix + "parameters.", reading);
  const ParameterValue fallback =
      completed(global.weight.value_or(ParameterValue{}), constant(1.0));
  entry.weight = completed(own.weight.value_or(ParameterValue{}), fallback);
  entry.density = std::move(own.density);
  entry.rank = std::move(own.rank);
  listed.identity = identity_of(entry.path);
  return listed;
}

void refuse_twins(const std::vector<Listed>& models, Reading& reading) {
  for (std::size_t i = 0; i < models.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Listed &one = models[i], &other = models[j];
      const std::string first = reading.problems.where(other.place);
      if (!one.identity.empty() && one.identity == other.identity) {
        reading.problems.add(
            one.place,
            fmt::format("model {} is listed twice (first at {}); keep one and give it the "
                        "summed weight",
                        shown(one.entry.written), first));
        break;
      }
      if (!one.entry.name.empty() && one.entry.name == other.entry.name) {
        reading.problems.add(
            one.place,
            fmt::format("two models are called {} (first at {}); set 'name' beside 'model'",
                        shown(one.entry.name), first));
        break;
      }
    }
  }
}

void read_base(const Node& root, Reading& reading) {
  const bool is_needed = reading.method != nullptr && reading.method->needs_base;
  if (const Node* base = root.find("base_model")) {
    reading.written["base_model"] = base->place;
    reading.recipe.base.emplace();
    read_path(*base, "base_model", *reading.recipe.base, reading);
  } else if (is_needed) {
    reading.problems.add(
        root.place,
        fmt::format("base_model is missing; {} adds task vectors to it", reading.method->name));
  }
}

/// Sorts the base's own entry out; the others are the experts.
void take_experts(std::vector<Listed> models, Reading& reading) {
  Recipe& recipe = reading.recipe;
  const std::string base = recipe.base ? identity_of(recipe.base->path) : std::string();
  for (Listed& listed : models) {
    if (!base.empty() && listed.identity == base) {
      recipe.base_listed = true;
      recipe.base_position = recipe.models.size();
      reading.base_at = listed.index;
      recipe.base_as_model = std::move(listed.entry);
    } else {
      reading.experts_at.push_back(listed.index);
      recipe.models.push_back(std::move(listed.entry));
    }
  }
}

}  // namespace

void read_models(const Node& root, const Parameters& global, Reading& reading) {
  read_base(root, reading);
  const Node* list = root.find("models");
  if (list == nullptr) {
    if (root.find("slices") == nullptr && root.find("modules") == nullptr) {
      reading.problems.add(root.place, "models is missing; list the experts as - model: PATH");
    }
    return;
  }
  if (!list->is_list()) {
    reading.problems.add(list->place, mismatch("models", *list, "a list of - model: PATH"));
    return;
  }
  constexpr std::size_t kMostModels = 1000;
  if (list->items.size() > kMostModels) {
    reading.problems.add(list->place, fmt::format("models has {} entries, at most {} are taken",
                                                  list->items.size(), kMostModels));
    return;
  }
  std::vector<Listed> models;
  models.reserve(list->items.size());
  for (const Node& item : list->items)
    models.push_back(read_model(item, models.size(), global, reading));
  refuse_twins(models, reading);
  take_experts(std::move(models), reading);
  if (reading.recipe.models.empty()) {
    reading.problems.add(list->place, "models lists no expert; add - model: PATH");
  }
}

}  // namespace koine::recipe
