#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recipe/recipe.hpp"

namespace koine::recipe {

/// One setting of hyper-parameters: what it changes in the sweep's recipe.
struct SweepPoint {
  /// By swept name, in the order of Sweep::columns; values as YAML on one line: {"rank", "7"},
  /// {"experts", "[ca, de]"}. A name that is absent keeps the recipe's own value.
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<std::string> overrides;  ///< for ReadOptions::settings: "parameters.rank=7"
  std::optional<std::vector<std::string>> experts;  ///< the subset, as written
  std::optional<std::vector<double>> weights;       ///< one per expert: of `experts`, else of all
  std::int64_t number = 0;  ///< for messages: in the file, from 1; a journal may renumber
};

enum class Keep : std::uint8_t { best, all, none };
enum class CheckpointFormat : std::uint8_t { hf, openai, run };

/// `evaluate`: the command that judges a checkpoint.
struct Evaluation {
  std::string command;       ///< for sh -c, with its placeholders
  std::string metric;        ///< where it stands in the result: "wer", "languages.ca.wer"
  std::string metric_regex;  ///< of {regex: …}; its first group is the metric; else empty
  bool is_goal_max = false;
  double timeout_seconds = 0;  ///< 0: none
  CheckpointFormat format = CheckpointFormat::hf;
  int workers = 1;            ///< commands at once
  bool has_baselines = true;  ///< base and experts are evaluated too
  int retries = 3;            ///< after exit code 75
};

/// `search`: points that are not listed. random and halving are drawn while reading and stand in
/// Sweep::points; golden makes its points one by one (probe).
struct Search {
  enum class Method : std::uint8_t { golden, random, halving } method = Method::random;
  std::int64_t budget = 0;   ///< golden: evaluations; random, halving: points drawn
  std::uint64_t seed = 0;    ///< random, halving
  std::string over;          ///< golden: the swept name, one of lambda, density, weight
  double low = 0, high = 1;  ///< golden: where it looks
  double factor = 3;         ///< halving: the best 1/factor of a round's points go on to the next
};

/// A sweep file, read and checked.
struct Sweep {
  std::string file;
  std::string recipe_path;           ///< found beside the sweep file, else in the working folder
  std::vector<std::string> columns;  ///< swept names, in the order of the file
  std::vector<SweepPoint> points;    ///< grid: the first key changes slowest
  std::optional<Evaluation> evaluate;
  std::optional<Search> search;
  Keep keep = Keep::best;
  std::string output_path;  ///< --output, else output.path, else empty
  std::vector<std::string> warnings;
};

/// Most points of a sweep.
constexpr std::int64_t kMostPoints = 100'000;

/// Reads a sweep file strictly: all its errors at once, one per line, each "file:line:column: …".
/// A value is checked for itself; whether the recipe is sound with a point's values together is for
/// recipe_of to say.
/// @param options overrides (--set) change the recipe, output is the sweep's
/// @throws InputError
[[nodiscard]] Sweep read_sweep(const std::string& path, const ReadOptions& options = {});

/// Whether a YAML file is a sweep rather than a recipe: it names one. @throws InputError where it
/// is no YAML
[[nodiscard]] bool is_sweep(const std::string& path);

/// Whether its points can be evaluated apart from each other: there is something to evaluate, and
/// no search that decides one by the others.
[[nodiscard]] bool can_be_divided(const Sweep& sweep);

/// The recipe with the point's settings, read as strictly as a lone one.
/// @param overrides --set; the point's settings go before them
/// @throws InputError, each line "sweep.yaml: point 12 (rank 7, density 0.2): …"
[[nodiscard]] Recipe recipe_of(const Sweep& sweep, const SweepPoint& point,
                               const std::vector<std::string>& overrides = {});

/// The point of a golden search at this value of Search::over.
/// @pre search.method is golden
[[nodiscard]] SweepPoint probe(const Search& search, double value);

/// Every key of a sweep file, as docs/reference/sweep.md lists them: "evaluate.command".
[[nodiscard]] std::vector<std::string> known_sweep_keys();

/// Every name that a grid, a point or a space may set: "rank", "svd.mode", "experts".
[[nodiscard]] std::vector<std::string> swept_names();

}  // namespace koine::recipe
