#pragma once

#include <vector>

#include "core/shape.hpp"

namespace koine::bench {

/// Synthetic weights of one shape (pipeline::SynthTensor): a base, and for every thread an expert
/// of its own and its task vector, all row-major float32.
struct Matrices {
  Shape shape;
  std::vector<float> base;
  std::vector<std::vector<float>> experts, taus;  ///< by thread

  [[nodiscard]] std::int64_t rows() const { return shape.front(); }
  [[nodiscard]] std::int64_t cols() const { return shape.back(); }
  [[nodiscard]] std::int64_t count() const { return rows() * cols(); }
  [[nodiscard]] MatrixView tau(int thread) const {
    return {taus[static_cast<std::size_t>(thread)].data(), rows(), cols()};
  }
};

[[nodiscard]] Matrices make_matrices(const Shape& shape, int threads);

}  // namespace koine::bench
