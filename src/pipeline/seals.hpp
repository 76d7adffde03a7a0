#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/finish.hpp"
#include "pipeline/run_records.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {

/// (expert, tensor) where an expert's integers differ from the base's.
using OtherIntegers = std::vector<std::pair<std::string, std::string>>;

/// What a run's manifest and notes need of its journal: figures of shards and tensors, and the
/// fingerprint of every tensor of every model as it was read. Small beside the records themselves.
class Seals {
 public:
  explicit Seals(const FinishedRun& run);  ///< keeps a reference

  /// Takes what a tensor's record says, and its shard's with the shard's first tensor.
  /// @pre each tensor of the plan once, in its order  @throws StorageError
  void add(std::size_t tensor, RunRecords& records);

  [[nodiscard]] const std::vector<store::ManifestTensor>& tensors() const { return tensors_; }
  /// In the plan's order, as are the two that follow.
  [[nodiscard]] std::vector<store::ManifestFile> shards() const;
  /// JSON: the kinds of machine that computed the shards, one object, or a list of them after a
  /// resume elsewhere.
  [[nodiscard]] std::string arithmetic() const;
  [[nodiscard]] OtherIntegers other_integers() const;
  /// Per model: what identity says of it, and its fingerprints. Refers to this.
  [[nodiscard]] store::ModelTexts models() const;

 private:
  struct Shard {
    store::ManifestFile file;
    std::string arithmetic;
    OtherIntegers other_integers;
  };

  const FinishedRun& run_;
  std::vector<store::ManifestTensor> tensors_;
  std::vector<Shard> shards_;  ///< by index in the plan
  std::string prints_;         ///< tensor by tensor, model by model, kPrint digits each
};

}  // namespace koine::pipeline
