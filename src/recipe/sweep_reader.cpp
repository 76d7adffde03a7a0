#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "recipe/paths.hpp"
#include "recipe/sweep_keys.hpp"
#include "recipe/sweep_reading.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr std::int64_t kLargestFile = 1 << 20;

void read_recipe_path(const Node& root, SweepReading& reading) {
  const Node* node = root.find("recipe");
  if (node == nullptr) {
    reading.problems.add(root.place,
                         "recipe is missing; name the recipe to vary: recipe: lors.yaml");
    return;
  }
  const auto written = read_text(*node, "recipe", reading.problems);
  if (!written) return;
  const ResolvedPath found = resolve_file(*written, reading.folder, "the sweep");
  if (!found.problem.empty()) reading.problems.add(node->place, "recipe " + found.problem);
  if (!found.warning.empty())
    reading.sweep.warnings.push_back(
        fmt::format("{}: recipe {}", reading.problems.where(node->place), found.warning));
  reading.sweep.recipe_path = found.path;
}

/// The recipe's experts, which subsets and weights are checked with.
/// @return why there are none
std::string find_experts(const std::vector<std::string>& overrides, SweepReading& reading) {
  if (reading.sweep.recipe_path.empty()) return {};
  try {
    reading.experts =
        read_experts(reading.sweep.recipe_path, {.overrides = overrides, .output = {}});
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

/// Exactly one of grid, points and search says what is tried.
void read_what_is_tried(const Node& root, SweepReading& reading) {
  constexpr std::array<std::pair<const char*, void (*)(const Node&, SweepReading&)>, 3> kWays{
      {{"grid", read_grid}, {"points", read_points}, {"search", read_search}}};
  std::string first;
  for (const auto& [key, read] : kWays) {
    const Node* node = root.find(key);
    if (node == nullptr) continue;
    if (first.empty())
      read(*node, reading);
    else
      reading.problems.add(node->place, fmt::format("{} and {} in one sweep; keep one of grid, "
                                                    "points and search",
                                                    first, key));
    if (first.empty()) first = key;
  }
  if (first.empty())
    reading.problems.add(root.place,
                         "the sweep has no points; give grid: {rank: [1, 7]}, points or search");
}

void read_keep(const Node& root, SweepReading& reading) {
  const Node* node = root.find("keep");
  if (node == nullptr) return;
  const auto index = read_word(*node, "keep", {"best", "all", "none"}, reading.problems);
  reading.sweep.keep = static_cast<Keep>(index.value_or(0));
  if (index == 0U && root.find("evaluate") == nullptr)
    reading.sweep.warnings.push_back(
        fmt::format("{}: keep: best keeps nothing, for there is no evaluate to tell the best",
                    reading.problems.where(node->place)));
}

void read_output(const Node& root, const std::string& given, SweepReading& reading) {
  reading.sweep.output_path = given;
  const Node* node = root.find("output");
  if (node == nullptr || !check_keys(*node, SweepSection::output, reading.problems)) return;
  const Node* path = node->find("path");
  if (path == nullptr) return;
  const auto text = read_text(*path, "output.path", reading.problems);
  if (given.empty()) reading.sweep.output_path = text.value_or("");
}

void read_evaluate(const Node& root, SweepReading& reading) {
  if (const Node* node = root.find("evaluate")) read_evaluation(*node, reading);
  const auto& search = reading.sweep.search;
  if (!search || reading.sweep.evaluate || search->method == Search::Method::random) return;
  reading.problems.add(root.find("search")->place,
                       "search chooses by a metric; add evaluate: {command: …, metric: …}");
}

/// A value of the command line that no point sees.
void warn_of_overruled(const std::vector<std::string>& overrides, Sweep& sweep) {
  for (const std::string& column : sweep.columns) {
    for (const std::string& text : overrides) {
      if (text.substr(0, text.find('=')) != recipe_key_of(column)) continue;
      sweep.warnings.push_back(
          fmt::format("--set {}: the sweep sets {}; its points go before it", shown(text), column));
    }
  }
}

}  // namespace

bool is_sweep(const std::string& path) {
  Problems problems(path, {});
  return parse_document(read_text_file(path, kLargestFile), 0, problems).find("recipe") != nullptr;
}

bool can_be_divided(const Sweep& sweep) {
  return sweep.evaluate && (!sweep.search || sweep.search->method == Search::Method::random);
}

Sweep read_sweep(const std::string& path, const ReadOptions& options) {
  Problems problems(path, {});
  const Node root = parse_document(read_text_file(path, kLargestFile), 0, problems);
  if (root.is_null())
    problems.fail(root.place, "the sweep is empty; it needs recipe and grid, points or search");
  if (!check_keys(root, SweepSection::top, problems)) problems.throw_if_any();
  SweepReading reading{
      .problems = problems, .sweep = {}, .folder = std::filesystem::path(path).parent_path()};
  reading.sweep.file = path;
  read_recipe_path(root, reading);
  const std::string recipe_problems = find_experts(options.overrides, reading);
  read_what_is_tried(root, reading);
  read_evaluate(root, reading);
  read_keep(root, reading);
  read_output(root, options.output, reading);
  problems.throw_if_any();
  if (!recipe_problems.empty()) throw InputError(recipe_problems);
  warn_of_overruled(options.overrides, reading.sweep);
  return std::move(reading.sweep);
}

}  // namespace koine::recipe
