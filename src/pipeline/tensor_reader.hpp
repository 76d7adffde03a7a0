#pragma once

#include <string>
#include <vector>

#include "backend/elementwise.hpp"
#include "core/hash.hpp"
#include "pipeline/merge_tensor.hpp"

namespace koine::pipeline {

/// Reads one tensor of every model into a thread's scratch, hashing all bytes on their way. Keeps
/// references to what it is made with.
class TensorReader {
 public:
  TensorReader(const PlannedTensor& planned, const MergeContext& context, Scratch& scratch);

  [[nodiscard]] const checkpoint::TensorInfo& base() const noexcept { return base_; }
  [[nodiscard]] const checkpoint::TensorInfo& expert(std::size_t t) const { return experts_[t]; }
  [[nodiscard]] std::size_t expert_count() const noexcept { return experts_.size(); }

  /// Raw bytes of a block; model 0 is the base. The tensor's next block, if there is one, is
  /// announced.
  std::span<const std::byte> read(std::size_t model, std::int64_t first, std::int64_t count,
                                  Pool<std::byte>& buffer);
  /// The same into memory that is there already: elements from `first` on, as many as it holds.
  void read_into(std::size_t model, std::int64_t first, std::span<std::byte> bytes);
  /// Bytes of the whole tensor; model 0 is the base.
  [[nodiscard]] std::int64_t bytes_of(std::size_t model) const {
    return source(model).count() * size_of(source(model).dtype);
  }
  /// Starts reading the whole tensor. Advice.
  void announce(std::size_t model) const;
  /// Reads and widens a block of the base into scratch.base; returns its raw bytes, which of
  /// float32 are the same memory.
  std::span<const std::byte> read_base(std::int64_t first, std::int64_t count);
  /// Expert t's whole task vector into `tau`, against scratch.base; its square is summed in blocks,
  /// as everywhere. The next expert's bytes are announced.
  backend::TaskVectorFigures read_task_vector(std::size_t t, std::span<float> tau);

  /// @throws InputError unless all values are finite or --allow-nonfinite was given; whether they
  /// are
  bool require_finite(std::span<const float> values, std::int64_t first, std::size_t model);

  /// XXH3-128 of what was read of a model so far.
  [[nodiscard]] std::string fingerprint(std::size_t model) const { return hashes_[model].hex(); }
  [[nodiscard]] std::vector<std::string> fingerprints() const;
  /// @throws InputError unless what was read of `model` is what `before` is the fingerprint of
  void require_unchanged(std::size_t model, const std::string& before) const;
  [[nodiscard]] std::int64_t nonfinite() const noexcept { return nonfinite_; }

 private:
  [[nodiscard]] const checkpoint::TensorInfo& source(std::size_t model) const {
    return model == 0 ? base_ : experts_[model - 1];
  }
  [[nodiscard]] const std::string& path(std::size_t model) const;

  const MergeContext& context_;
  Scratch& scratch_;
  const checkpoint::TensorInfo& base_;
  std::vector<checkpoint::TensorInfo> experts_;
  std::vector<Fingerprint> hashes_;
  std::int64_t nonfinite_ = 0;
};

}  // namespace koine::pipeline
