#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/source.hpp"
#include "comm/communicator.hpp"
#include "recipe/recipe.hpp"

namespace koine::pipeline {

/// Where an expert keeps what is merged into one tensor of the base; name and shape are the base's.
struct ExpertTensor {
  std::int64_t offset = 0;  ///< as in checkpoint::TensorInfo
  std::int32_t file = 0;
  DType dtype = DType::f32;
  std::vector<std::int64_t> strides;
};

/// One model of the sum. Its tensors are kept short: there may be many experts.
struct Expert {
  recipe::ModelEntry entry;
  checkpoint::Checkpoint header;      ///< without tensors and notes
  std::string tensors_sha256;         ///< of the tensors' names, types, shapes and places
  std::vector<ExpertTensor> tensors;  ///< one for each of the base's
  std::map<std::size_t, std::string> own_names;  ///< by tensor, where not the base's
  /// An output matrix that the base does not store and the expert's own token embedding, which it
  /// is to equal: both or none.
  std::vector<checkpoint::TensorInfo> tied;
};

/// The headers of everything a merge reads, checked against each other.
struct Inputs {
  checkpoint::Checkpoint
      base;                  ///< gives names, dtypes, config; without base_model: the first model
  std::string base_written;  ///< its path as the recipe wrote it
  std::vector<Expert> experts;     ///< in the order of the sum
  std::vector<std::string> notes;  ///< for the user, once

  [[nodiscard]] std::vector<std::string> expert_names() const;
  /// The expert's tensor that is merged into this tensor of the base, under its own name: the
  /// one of the same canonical name; for an output matrix that the expert ties, its token
  /// embedding.
  [[nodiscard]] checkpoint::TensorInfo tensor_of(std::size_t expert, std::size_t base_tensor) const;
};

/// Reads and checks all headers on the root and broadcasts them, one expert at a time. Collective.
/// @throws InputError: every expert that does not fit the base, up to ten lines
[[nodiscard]] Inputs open_inputs(const recipe::Recipe& recipe, comm::Communicator& processes);

/// What a merge needs of an expert's header. @pre the expert fits the base
[[nodiscard]] Expert shortened(const recipe::ModelEntry& entry, const checkpoint::Checkpoint& base,
                               checkpoint::Checkpoint header);

/// Of the tensors' names, types, shapes and places, but not the folder they lie in.
[[nodiscard]] std::string tensors_sha256(const checkpoint::Checkpoint& header);

/// Readers for all inputs: the base first, then the experts. Keeps references into `inputs`.
[[nodiscard]] std::vector<checkpoint::Source> open_sources(const Inputs& inputs);

}  // namespace koine::pipeline
