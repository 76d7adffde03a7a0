#pragma once

#include <cstdint>

#include "core/shape.hpp"

namespace koine::pipeline {

struct PlannedTensor;
struct TensorPart;

/// What a share of a merge consists of, in units that no machine changes. Flops as in
/// docs/benchmarks.md.
struct Work {
  double bytes_read = 0, bytes_written = 0;
  double parts = 0;    ///< elements of task vectors: taken, and added to the sum
  double pruned = 0;   ///< of these, elements of selected matrices: product, selection
  double results = 0;  ///< elements of the result: added to the base, rounded
  double gram = 0;   ///< flops in float32: 4 m n v for a basis of v vectors through tau; certified:
                     ///< 2/3 m^2 n for a Gram matrix of integers, 2 m^2 v for a basis by it and 4 m
                     ///< n for each vector of another through tau; m^2 n for a Gram matrix
  double space = 0;  ///< flops for the eigenpairs, in float64: 4 m v^2 for each basis and 4 m n for
                     ///< each pair that is judged, or LAPACK's

  Work& operator+=(const Work& other) noexcept;
  bool operator==(const Work&) const = default;
};

/// The same units per second, of one worker: a thread of a CPU, or a process with a GPU.
struct Rates {
  double bytes_read = 0, bytes_written = 0, parts = 0, pruned = 0, results = 0, gram = 0, space = 0;
  bool operator==(const Rates&) const = default;
};

/// One core of a common server, two of which share a memory, with its files in the page cache: what
/// owners are chosen by, and what is predicted with where no machine was measured. From the times
/// of whole shards (docs/benchmarks.md), so that what hides behind other work counts as nothing.
[[nodiscard]] const Rates& common_rates() noexcept;
/// A process with a GPU, from data sheets: reading is what takes time there. For choosing owners
/// alone: nothing is predicted with it.
[[nodiscard]] const Rates& gpu_rates() noexcept;

/// Seconds that one worker takes.
[[nodiscard]] double seconds_of(const Work& work, const Rates& rates) noexcept;

/// Seconds of a merge, added over its workers, by what was done in them.
struct StageSeconds {
  double read = 0, parts = 0, prune = 0, results = 0, write = 0;
};

/// `nominal`, changed so that `work` takes `stages`. What has no work keeps its rate.
[[nodiscard]] Rates calibrated(const Rates& nominal, const Work& work, const StageSeconds& stages);

/// A tensor's work but for finding its factors.
[[nodiscard]] Work merging_work(const PlannedTensor& planned, const Shape& shape);

/// Factorising one expert's task vector of a matrix, without reading it. Nothing where the part
/// needs no factors.
[[nodiscard]] Work factor_work(const TensorPart& part, const Shape& shape);

/// Whether a part of low rank asks for some singular triplets, but not for all.
[[nodiscard]] bool needs_factors(const TensorPart& part, const Shape& shape) noexcept;

/// Bytes of the part's factors on disk, about; nothing is known of an {energy} rank beforehand: it
/// counts as a quarter of all.
[[nodiscard]] std::int64_t factor_bytes(const TensorPart& part, const Shape& shape) noexcept;

}  // namespace koine::pipeline
