#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/file.hpp"
#include "core/text.hpp"
#include "recipe/overrides.hpp"
#include "recipe/reading.hpp"
#include "recipe/selector_word.hpp"
#include "recipe/values.hpp"

namespace koine::recipe {
namespace {

constexpr std::int64_t kLargestFile = 1 << 20;
constexpr NumberRange kTolerance{.low = 0,
                                 .high = 1,
                                 .is_low_allowed = false,
                                 .is_high_allowed = false,
                                 .expected = "a number between 0 and 1, such as 1e-6"};

/// The value of a key that was given, and a note of where.
const Node* given(const Node& map, const std::string& key, const std::string& setting,
                  Reading& reading) {
  const Node* node = map.find(key);
  if (node != nullptr) reading.written[setting] = node->place;
  return node;
}

void read_method(const Node& root, Reading& reading) {
  const Node* node = given(root, "merge_method", "merge_method", reading);
  if (node == nullptr) {
    reading.problems.add(root.place, fmt::format("merge_method is missing; expected {}",
                                                 fmt::join(method_names(), ", ")));
    return;
  }
  const auto name = read_text(*node, "merge_method", reading.problems);
  if (!name) return;
  reading.recipe.merge_method = *name;
  reading.method = find_method(*name);
  if (reading.method == nullptr) reading.problems.add(node->place, unknown_method(*name));
}

/// Methods that treat every tensor alike have no use for select and others.
void drop_unused(const std::string& key, Reading& reading) {
  if (reading.method == nullptr || !reading.method->select.empty()) return;
  reading.note_unused(key);
  reading.recipe.select.clear();
  reading.recipe.others = Others::dense;
}

void read_select(const Node& root, Reading& reading) {
  if (reading.method != nullptr) reading.recipe.select = reading.method->select;
  const Node* node = given(root, "select", "select", reading);
  if (node == nullptr) return;
  std::vector<Node> words = node->is_scalar() ? std::vector<Node>{*node} : node->items;
  if (node->is_map())
    reading.problems.add(node->place,
                         mismatch("select", *node, "a list of roles, globs or /regexes/"));
  reading.recipe.select.clear();
  for (const Node& word : words) {
    const auto text = read_text(word, "select", reading.problems);
    if (!text) continue;
    const std::string problem = selector_problem(*text);
    if (!problem.empty()) reading.problems.add(word.place, "select: " + problem);
    reading.recipe.select.push_back(*text);
  }
  drop_unused("select", reading);
}

std::optional<DType> read_dtype(const Node& node, const std::string& key, Problems& problems) {
  static const std::vector<std::string> kNames{"float32", "float16", "bfloat16", "float64"};
  Node plain = node;
  if (plain.text.starts_with("torch.")) plain.text.erase(0, 6);  // mergekit takes both
  const auto index = read_word(plain, key, kNames, problems);
  return index ? from_recipe_name(kNames[*index]) : std::nullopt;
}

void read_dtypes(const Node& root, Reading& reading) {
  for (const std::string key : {"dtype", "out_dtype"}) {
    const Node* node = root.find(key);
    if (node == nullptr) continue;
    const auto dtype = read_dtype(*node, key, reading.problems);
    if (!dtype) continue;
    reading.recipe.out_dtype = dtype;
    reading.written["out_dtype"] = node->place;
  }
}

void take_seed(const Node& root, Reading& reading) {
  const Node* node = given(root, "seed", "seed", reading);
  if (node == nullptr) return;
  reading.recipe.seed = read_seed(*node, "seed", reading.problems).value_or(0);
}

void read_svd(const Node& root, Reading& reading) {
  const Node* node = root.find("svd");
  if (node == nullptr || !check_keys(*node, Section::svd, reading.problems)) return;
  if (const Node* mode = given(*node, "mode", "svd.mode", reading)) {
    const auto index =
        read_word(*mode, "svd.mode", {"exact", "certified", "fast"}, reading.problems);
    reading.recipe.svd_mode = static_cast<SvdMode>(index.value_or(1));
  }
  if (const Node* tolerance = given(*node, "tolerance", "svd.tolerance", reading)) {
    const auto value = read_number(*tolerance, "svd.tolerance", kTolerance, reading.problems);
    reading.recipe.svd_tolerance = value.value_or(reading.recipe.svd_tolerance);
  }
  if (reading.method != nullptr && !reading.method->has_factors) reading.note_unused("svd");
}

void read_output(const Node& root, Reading& reading) {
  const Node* node = root.find("output");
  if (node == nullptr || !check_keys(*node, Section::output, reading.problems)) return;
  if (const Node* path = given(*node, "path", "output.path", reading)) {
    reading.recipe.output_path = read_text(*path, "output.path", reading.problems).value_or("");
  }
  if (const Node* shards = given(*node, "shards", "output.shards", reading)) {
    const auto index = read_word(*shards, "output.shards", {"layer", "fine"}, reading.problems);
    reading.recipe.shards = static_cast<ShardLayout>(index.value_or(0));
  }
}

void read_plain_words(const Node& root, Reading& reading) {
  Recipe& recipe = reading.recipe;
  if (const Node* node = given(root, "others", "others", reading)) {
    const auto index = read_word(*node, "others", {"dense", "base", "average"}, reading.problems);
    recipe.others = static_cast<Others>(index.value_or(0));
    drop_unused("others", reading);
  }
  if (const Node* node = given(root, "semantics", "semantics", reading)) {
    static const std::vector<std::string> kNames{"mergekit", "paper", "peft"};
    recipe.semantics = kNames[read_word(*node, "semantics", kNames, reading.problems).value_or(0)];
  }
  if (const Node* node = given(root, "density_over", "density_over", reading)) {
    const auto index = read_word(*node, "density_over", {"matrix", "model"}, reading.problems);
    if (reading.method != nullptr && !reading.method->uses("density"))
      reading.note_unused("density_over");
    else
      recipe.density_over = static_cast<DensityOver>(index.value_or(0));
  }
}

void warn_of_unused(Reading& reading) {
  if (reading.method == nullptr || reading.unused.empty()) return;
  reading.recipe.warnings.push_back(fmt::format("{}: {} does not use {}; ignored",
                                                reading.recipe.file, reading.method->name,
                                                fmt::join(reading.unused, ", ")));
}

/// The settings beside models, parameters and output.
void read_top_level(const Node& root, Reading& reading) {
  read_select(root, reading);
  read_plain_words(root, reading);
  read_dtypes(root, reading);
  take_seed(root, reading);
  read_svd(root, reading);
}

/// The file with the values of the command line written into it. @throws InputError where it is no
/// map
Node read_tree(const std::string& path, const ReadOptions& options, Problems& problems) {
  Node root = parse_document(read_text_file(path, kLargestFile), 0, problems);
  apply_overrides(root, options, problems);
  if (root.is_null())
    problems.fail(root.place, "the recipe is empty; it needs merge_method, base_model and models");
  if (!check_keys(root, Section::top, problems)) problems.throw_if_any();
  return root;
}

}  // namespace

Recipe read(const std::string& path, const ReadOptions& options) {
  const std::vector<std::string> labels = labels_of(options);
  Problems problems(path, labels);
  const Node root = read_tree(path, options, problems);
  Reading reading{
      .problems = problems, .recipe = {}, .folder = std::filesystem::path(path).parent_path()};
  reading.recipe.file = path;
  read_method(root, reading);
  const Parameters global =
      read_parameters(root.find("parameters"), Section::parameters, "parameters.", reading);
  read_models(root, global, reading);
  choose_experts(options, {labels.size(), 1, 1}, reading);
  settle_parameters(global, root, reading);
  read_top_level(root, reading);
  read_output(root, reading);
  read_mergekit_keys(root, reading);
  warn_of_unused(reading);
  problems.throw_if_any();
  list_settings(reading);
  return std::move(reading.recipe);
}

std::vector<ModelEntry> read_experts(const std::string& path, const ReadOptions& options) {
  Problems problems(path, labels_of(options));
  const Node root = read_tree(path, options, problems);
  Reading reading{
      .problems = problems, .recipe = {}, .folder = std::filesystem::path(path).parent_path()};
  read_models(root, {}, reading);
  problems.throw_if_any();
  return std::move(reading.recipe.models);
}

void check_settings(const Node& root, Problems& problems) {
  Reading reading{.problems = problems, .recipe = {}, .folder = {}};
  if (root.find("merge_method") != nullptr) read_method(root, reading);
  static_cast<void>(
      read_parameters(root.find("parameters"), Section::parameters, "parameters.", reading));
  read_top_level(root, reading);
}

}  // namespace koine::recipe
