#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "recipe/problems.hpp"
#include "recipe/recipe.hpp"

namespace koine::recipe {
namespace {

/// The name without the ending of a weight file: "expert1.pt" answers to "1" too.
std::string_view stem(std::string_view name) {
  for (const std::string_view ending : {".pt", ".pth", ".bin", ".safetensors"}) {
    if (name.size() > ending.size() && name.ends_with(ending))
      return name.substr(0, name.size() - ending.size());
  }
  return name;
}

}  // namespace

std::size_t resolve_expert_name(const std::vector<ModelEntry>& models, std::string_view ending) {
  std::vector<std::size_t> found;
  std::vector<std::string> names, hits;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::string& name = models[i].name;
    if (name == ending || models[i].written == ending) return i;
    names.push_back(name);
    if (ending.empty() || !(name.ends_with(ending) || stem(name).ends_with(ending))) continue;
    found.push_back(i);
    hits.push_back(name);
  }
  if (found.size() == 1) return found[0];
  if (found.empty()) {
    throw InputError(fmt::format("no expert is called {}; there are {}{}", shown(ending),
                                 fmt::join(names, ", "), did_you_mean(ending, names)));
  }
  throw InputError(fmt::format("{} could be {}; write more of the name", shown(ending),
                               fmt::join(hits, " or ")));
}

}  // namespace koine::recipe
