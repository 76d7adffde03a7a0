#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "methods/method.hpp"
#include "pipeline/inputs.hpp"
#include "pipeline/work.hpp"
#include "recipe/recipe.hpp"

namespace koine::pipeline {

/// What happens to a tensor.
enum class Treatment : std::uint8_t {
  copied,    ///< integers and bools: the base's
  base,      ///< W_0, rounded to the output type
  dense,     ///< W_0 + lambda * sum_t weight_t tau_t
  pruned,    ///< W_0 + lambda * sum_t weight_t M_t
  averaged,  ///< sum_t weight_t W_t / sum_t weight_t
};

/// How often density_over: model reads the selected matrices before they are merged: for three
/// digits of the thresholds, then for what stands at them.
inline constexpr std::int64_t kBudgetPasses = 4;

/// One expert's part in a tensor.
struct TensorPart {
  double weight = 1;
  methods::PruneParameters prune;
};

/// The parts of a tensor, by expert. Shared by the tensors that have the same: there are many
/// tensors and may be many experts.
class Parts {
 public:
  Parts() = default;
  explicit Parts(std::vector<TensorPart> parts)
      : parts_(std::make_shared<const std::vector<TensorPart>>(std::move(parts))) {}
  [[nodiscard]] std::size_t size() const noexcept { return parts_ ? parts_->size() : 0; }
  const TensorPart& operator[](std::size_t expert) const noexcept { return (*parts_)[expert]; }

 private:
  std::shared_ptr<const std::vector<TensorPart>> parts_;
};

struct PlannedTensor {
  std::size_t index = 0;  ///< in Inputs::base.tensors: the canonical order
  Treatment treatment = Treatment::dense;
  DType out_dtype = DType::f32;
  double lambda = 1;
  double divisor = 0;  ///< the sum is divided by it; 0: it is not
  Parts parts;
  std::int64_t bytes_in = 0, bytes_out = 0;
  std::int64_t bytes_searched =
      0;                           ///< of bytes_in: read beforehand, to find the model's thresholds
  std::int64_t bytes_factors = 0;  ///< on disk, about, where its factors are kept
  Work merging, factors;           ///< factors: of all experts
  double cost = 0;                 ///< seconds for both by Plan::nominal: for balance and order
};

/// The unit of ownership, of writing and of restart.
struct PlannedShard {
  std::string name;                  ///< "encoder.003", "rest"
  std::string file;                  ///< "shards/encoder.003.h5"
  std::vector<std::size_t> tensors;  ///< indices into Plan::tensors, in canonical order
  std::int64_t bytes_in = 0, bytes_out = 0, bytes_searched = 0;
  std::int64_t bytes_shared = 0;  ///< read beside bytes_in by those who find its factors
  Work work;                      ///< its owner's
  double cost = 0;                ///< seconds by Plan::nominal
  int owner = 0;
};

/// Experts [first, last) of a selected matrix: one of the pieces that finding factors is cut into
/// where all processes share it.
struct FactorTask {
  std::size_t tensor = 0;  ///< index into Plan::tensors
  std::size_t first = 0, last = 0;
  Work work;  ///< with reading the base's matrix and theirs
  int owner = 0;
};

struct SelectorHits {
  std::string word;
  std::int64_t tensors = 0;
};

struct Plan {
  std::vector<PlannedTensor> tensors;  ///< in canonical order
  std::vector<PlannedShard> shards;    ///< encoder blocks, decoder blocks, the rest
  std::vector<FactorTask> shared;      ///< in canonical order; empty where owners find factors
  std::vector<SelectorHits> selected;
  std::vector<std::string> warnings;
  std::int64_t bytes_in = 0, bytes_out = 0,
               matrices = 0;       ///< matrices: selected ones times experts
  std::int64_t bytes_factors = 0;  ///< on disk beside the result until the run is complete
  std::vector<double> densities;   ///< density_over: model: each expert's; else empty
  int processes = 1;
  Rates nominal = common_rates();  ///< what owners are chosen by: the same on every machine

  [[nodiscard]] std::vector<std::size_t> shards_of(int rank) const;  ///< costliest first
  /// In the order in which a process that has merged its own takes them: those of the process after
  /// it first, of each the last one first, since that is begun last.
  [[nodiscard]] std::vector<std::size_t> shards_of_others(int rank) const;
  /// Predicted: until the slowest process with so many threads at these rates is done.
  [[nodiscard]] double seconds(int threads, const Rates& rates) const;
  /// Predicted peak resident bytes of a process that works with so many threads.
  [[nodiscard]] std::int64_t memory(const Inputs& inputs, int threads) const;
};

/// Whether processes may find factors for each other (Plan::shared); sweeps' do not.
enum class Sharing : std::uint8_t { where_sooner, never };

/// From headers alone: which tensor gets which treatment with which parameters, shards, owners.
/// Local, the same on every process; shards do not depend on the number of processes.
/// @param nominal common_rates or gpu_rates: decides who does what, nothing else
/// @throws InputError: a selector that hits no matrix, a rank that is not whole, …
[[nodiscard]] Plan make_plan(const recipe::Recipe& recipe, const Inputs& inputs, int processes,
                             const Rates& nominal = common_rates(),
                             Sharing sharing = Sharing::where_sooner);

/// The most threads, at most `wanted`, that stay inside `limit` bytes (0: no limit).
/// @throws InputError with the least possible figure
[[nodiscard]] int threads_within(const Plan& plan, const Inputs& inputs, int wanted,
                                 std::int64_t limit);

}  // namespace koine::pipeline
