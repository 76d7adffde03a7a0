#include "recipe/sweep_keys.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "core/text.hpp"
#include "recipe/keys.hpp"
#include "recipe/sweep.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

using Words = std::vector<std::string>;

const Words kSweptAtTop{"merge_method", "density_over", "select", "others",   "dtype",
                        "out_dtype",    "semantics",    "seed",   "svd.mode", "svd.tolerance"};
const Words kSweptExperts{"experts", "weights"};

struct Keys {
  std::string_view name;    ///< in messages
  std::string_view prefix;  ///< in the documentation
  Words keys;
};

const Keys& section_of(SweepSection section) {
  static const std::array<Keys, 8> kSections{
      {{"the sweep", "", {"recipe", "grid", "points", "search", "evaluate", "keep", "output"}},
       {"evaluate",
        "evaluate.",
        {"command", "metric", "goal", "timeout", "format", "workers", "baselines", "retries"}},
       {"evaluate.metric", "evaluate.metric.", {"regex", "name"}},
       {"output", "output.", {"path"}},
       {"search", "search.", {"method", "over", "low", "high", "budget"}},
       {"search", "search.", {"method", "space", "budget", "seed"}},
       {"search", "search.", {"method", "space", "budget", "seed", "factor"}},
       {"a range", "search.space.*.", {"low", "high", "log"}}}};
  return kSections.at(static_cast<std::size_t>(section));
}

bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_of_a_recipe(std::string_view key) {
  return contains(keys_of(Section::top), key);
}

/// What else a key that does not belong here may be.
std::string hint(std::string_view key, SweepSection section) {
  if (section != SweepSection::top && is_sweep_key(key)) return "; it belongs at the top level";
  if (section == SweepSection::top && recipe_key_of(key)) return "; it belongs in grid";
  if (section == SweepSection::top && is_of_a_recipe(key)) return "; it belongs in the recipe";
  return did_you_mean(key, section_of(section).keys);
}

}  // namespace

bool is_sweep_key(std::string_view key) {
  return contains(section_of(SweepSection::top).keys, key) && !is_of_a_recipe(key);
}

bool check_keys(const Node& node, SweepSection section, Problems& problems) {
  const auto& [name, prefix, keys] = section_of(section);
  if (!node.is_map()) {
    problems.add(node.place, mismatch(name, node, "keys and values"));
    return false;
  }
  for (const Field& field : node.fields) {
    if (contains(keys, field.key)) continue;
    problems.add(field.place, fmt::format("unknown key {} in {}{}", shown(field.key), name,
                                          hint(field.key, section)));
  }
  return true;
}

std::optional<std::string> recipe_key_of(std::string_view name) {
  if (contains(keys_of(Section::parameters), name)) return fmt::format("parameters.{}", name);
  if (contains(kSweptAtTop, name)) return std::string(name);
  if (contains(kSweptExperts, name)) return std::string();
  return std::nullopt;
}

std::string unknown_name(std::string_view name, std::string_view where) {
  std::string text = fmt::format("unknown key {} in {}", shown(name), where);
  constexpr std::string_view kParameters = "parameters.";
  if (name.starts_with(kParameters) && recipe_key_of(name.substr(kParameters.size())))
    return fmt::format("{}; write {}", text, shown(name.substr(kParameters.size())));
  if (name == "svd") return text + "; write 'svd.mode' or 'svd.tolerance'";
  if (is_sweep_key(name)) return text + "; it belongs at the top level";
  if (is_of_a_recipe(name)) return text + "; the recipe alone sets it";
  return text + did_you_mean(name, swept_names());
}

std::vector<std::string> swept_names() {
  Words all;
  for (const Words& words : {keys_of(Section::parameters), kSweptAtTop, kSweptExperts})
    all.insert(all.end(), words.begin(), words.end());
  return all;
}

std::vector<std::string> known_sweep_keys() {
  Words all;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(SweepSection::range); ++i) {
    const Keys& section = section_of(static_cast<SweepSection>(i));
    for (const std::string& key : section.keys) {
      std::string whole = fmt::format("{}{}", section.prefix, key);
      if (!contains(all, whole)) all.push_back(std::move(whole));
    }
  }
  return all;
}

}  // namespace koine::recipe
