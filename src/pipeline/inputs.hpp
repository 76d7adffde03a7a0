#pragma once

#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/source.hpp"
#include "comm/communicator.hpp"
#include "recipe/recipe.hpp"

namespace koine::pipeline {

/// One model of the sum.
struct Expert {
  recipe::ModelEntry entry;
  checkpoint::Checkpoint header;
};

/// The headers of everything a merge reads, checked against each other.
struct Inputs {
  checkpoint::Checkpoint
      base;                  ///< gives names, dtypes, config; without base_model: the first model
  std::string base_written;  ///< its path as the recipe wrote it
  std::vector<Expert> experts;     ///< in the order of the sum
  std::vector<std::string> notes;  ///< for the user, once

  [[nodiscard]] std::vector<std::string> expert_names() const;
};

/// Reads and checks all headers on the root and broadcasts them. Collective.
/// @throws InputError: every expert that does not fit the base, up to ten lines
[[nodiscard]] Inputs open_inputs(const recipe::Recipe& recipe, comm::Communicator& processes);

/// The expert's tensor that is merged into this tensor of the base: the one of the same canonical
/// name; for an output matrix that the expert ties, its token embedding. Null where there is none.
[[nodiscard]] const checkpoint::TensorInfo* counterpart(const checkpoint::Checkpoint& expert,
                                                        const checkpoint::TensorInfo& base_tensor);

/// Readers for all inputs: the base first, then the experts. Keeps references into `inputs`.
[[nodiscard]] std::vector<checkpoint::Source> open_sources(const Inputs& inputs);

}  // namespace koine::pipeline
