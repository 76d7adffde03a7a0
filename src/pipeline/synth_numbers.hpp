#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/shape.hpp"

namespace koine::pipeline {

/// The numbers of one synthetic tensor, by position: any range, in any order, on any machine, the
/// same bits. Base:    w = mean + 0.05 * g(element); a normalisation's weight has mean 1, all else
/// 0. Expert:  w + delta, rms(delta) about 1e-3: a rank-32 part with sigma_j ~ 1 / j, 2 % of larger
/// entries, small noise;
///          a vector's delta is noise alone. encoder.positional_embedding is sinusoidal and never
///          changes.
/// g is a sum of four uniforms from a counter-based hash of (seed, name, expert, element), scaled
/// to variance 1. Only +, -, * and sqrt are used, in a fixed order: no libm. Memory: 32 rows of the
/// tensor.
class SynthTensor {
 public:
  /// @param expert 0: the base; 1, 2, …: an expert
  SynthTensor(std::uint64_t seed, const std::string& canonical, const Shape& shape,
              std::uint64_t expert);

  /// Elements [first, first + out.size()) in row-major order. Thread-safe.
  void fill(std::int64_t first, std::span<float> out) const;

 private:
  void fill_base(std::int64_t first, std::span<float> out) const;
  void fill_sinusoids(std::int64_t first, std::span<float> out) const;
  void add_noise(std::int64_t first, std::span<float> delta) const;
  void fill_lowrank(std::int64_t first, std::span<float> delta) const;

  std::uint64_t base_key_ = 0, delta_key_ = 0, left_key_ = 0;
  std::uint64_t expert_ = 0;
  std::int64_t rows_ = 1, cols_ = 1, rank_ = 0;
  float mean_ = 0;
  float noise_ = 0;  ///< scale of the dense noise
  bool is_sinusoidal_ = false;
  std::vector<float> sigma_;  ///< per direction
  std::vector<float> right_;  ///< [rank, cols] row-major
};

}  // namespace koine::pipeline
