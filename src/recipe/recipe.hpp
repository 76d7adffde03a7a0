#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.hpp"

namespace koine::recipe {

/// Where a tensor stands, for parameter values that depend on it.
struct TensorPlace {
  std::string_view openai_name;
  std::string_view hf_name;
  bool is_block = false;
  std::int64_t layer = 0;   ///< index in its stack
  std::int64_t layers = 1;  ///< of its stack
};

/// A number written as a scalar, as a list (a gradient over a stack's layers) or as [{filter,
/// value}] entries.
struct ParameterValue {
  struct Entry {
    std::string filter;            ///< empty or "*": everything; else a substring of either name
    std::vector<double> gradient;  ///< one number, or anchors from 0 to 1 over the layers
  };
  std::vector<Entry> entries;
  /// The first entry that fits; its gradient at layer / (layers - 1), linear between anchors;
  /// tensors outside the blocks take the first number. Nothing where no entry fits.
  [[nodiscard]] std::optional<double> at(const TensorPlace& place) const;
  bool operator==(const ParameterValue&) const = default;
};
bool operator==(const ParameterValue::Entry& a, const ParameterValue::Entry& b);

/// `rank`: how many singular triplets are kept.
struct RankValue {
  enum class Kind : std::uint8_t { number, share_of_width, energy } kind = Kind::share_of_width;
  ParameterValue number;  ///< Kind::number: whole numbers >= 0
  double share = 0.01;    ///< of the model's width (share_of_width) or of |tau|^2 (energy)
};

enum class Others : std::uint8_t { dense, base, average };
enum class DensityOver : std::uint8_t { matrix, model };
enum class SvdMode : std::uint8_t { exact, certified, fast };
enum class ShardLayout : std::uint8_t { layer, fine };

struct ModelEntry {
  std::string written;  ///< as in the recipe
  std::string path;     ///< resolved
  std::string name;     ///< `name`, or the last part of the path
  std::optional<ParameterValue> weight, density;
  std::optional<RankValue> rank;
};

/// A merge recipe, read, checked, with every default filled in.
struct Recipe {
  std::string file;  ///< the YAML file
  std::string merge_method;
  std::optional<ModelEntry> base;  ///< absent only for methods that need none
  std::vector<ModelEntry>
      models;  ///< experts, in order; the base is not among them (but see base_listed)
  bool base_listed = false;       ///< the base was listed among `models` too (linear counts it)
  std::size_t base_position = 0;  ///< where it stood
  std::optional<ModelEntry> base_as_model;  ///< its entry there, with its weight
  RankValue rank;
  ParameterValue density;
  DensityOver density_over = DensityOver::matrix;  ///< model: only for methods with a density
  ParameterValue lambda;  ///< default: 1/experts for lors, svp, mp; 1 elsewhere
  std::optional<bool> normalize;
  std::vector<std::string> select;
  Others others = Others::dense;
  std::optional<DType> out_dtype;  ///< of float tensors; absent: each base tensor's own
  std::string semantics = "mergekit";
  std::uint64_t seed = 0;
  SvdMode svd_mode = SvdMode::certified;
  double svd_tolerance = 1e-6;
  std::string output_path;  ///< as given (recipe or --output); empty if neither gave one
  ShardLayout shards = ShardLayout::layer;
  std::vector<std::string> warnings;  ///< for the user, once

  struct Setting {
    std::string key, value,
        origin;  ///< "parameters.rank", "7", "lors.yaml:12" | "--set" | "default"
  };
  std::vector<Setting>
      settings;  ///< every setting and where it came from (koine plan --show-settings)
};

struct ReadOptions {
  std::vector<std::string> overrides;  ///< "--set": "parameters.rank=7"
  std::string output;                  ///< "--output", empty if not given
  /// What a sweep's point sets; absent for a lone recipe.
  std::vector<std::string> settings{};                ///< as overrides, and after them
  std::optional<std::vector<std::string>> experts{};  ///< these alone, by any unique ending
  std::optional<std::vector<double>> weights{};       ///< one per expert: of `experts`, else of all
  std::string settings_label = "sweep";               ///< how messages name these three
};

/// Reads a recipe strictly. All errors of the file at once, one per line, each "file:line:column:
/// …".
/// @throws InputError
[[nodiscard]] Recipe read(const std::string& path, const ReadOptions& options = {});

/// The recipe as JSON text with every default filled in, without output.path: what the manifest
/// holds and what a resume compares. Keys sorted as in the contract; one text for one meaning.
[[nodiscard]] std::string canonical_json(const Recipe& recipe);

/// The same as a recipe file that `koine merge` runs again (YAML; koine_config.yml of an export).
[[nodiscard]] std::string canonical_yaml(const Recipe& recipe);

/// The experts alone, so that their names are known: what else is wrong with the recipe is not
/// looked for. @throws InputError
[[nodiscard]] std::vector<ModelEntry> read_experts(const std::string& path,
                                                   const ReadOptions& options = {});

/// The index of the expert called `ending`: its whole name first, else the one expert whose name
/// ends so (a weight file's ".pt" and the like may be left out). @throws InputError where none or
/// several do
[[nodiscard]] std::size_t resolve_expert_name(const std::vector<ModelEntry>& models,
                                              std::string_view ending);

/// Known merge methods, for messages.
[[nodiscard]] std::vector<std::string> method_names();

}  // namespace koine::recipe
