#pragma once

/// The loops of skinny_kernels.hpp over a vector type: Lane has T, Vector, kRegisters (vectors of
/// one stripe), load, store, broadcast and fma.

#include "lowrank/skinny_kernels.hpp"

namespace koine::lowrank::skinny {

/// Element (r, k) at data + r * row_step + k * term_step; k < terms is summed over.
template <typename T>
struct Operand {
  const T* data;
  std::int64_t row_step, term_step, terms;
};

/// `Rows` outputs at a time.
template <typename Lane, int Rows>
inline void chains(const Operand<typename Lane::T>& operand, const typename Lane::T* in,
                   typename Lane::T* out) {
  using T = typename Lane::T;
  constexpr int kVectors = Lane::kRegisters;
  constexpr std::int64_t kWidth = kStripe / kVectors;
  typename Lane::Vector sum[Rows][kVectors];
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Lane::load(out + r * kStripe + v * kWidth);
  }
  const T* a = operand.data;
  const std::int64_t row_step = operand.row_step, term_step = operand.term_step;
  for (std::int64_t k = 0; k < operand.terms; ++k, a += term_step, in += kStripe) {
    typename Lane::Vector b[kVectors];
    for (int v = 0; v < kVectors; ++v) b[v] = Lane::load(in + v * kWidth);
    for (int r = 0; r < Rows; ++r) {
      const typename Lane::Vector x = Lane::broadcast(a + r * row_step);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Lane::fma(x, b[v], sum[r][v]);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < kVectors; ++v) Lane::store(out + r * kStripe + v * kWidth, sum[r][v]);
  }
}

/// As many outputs as there are, `Rows` at a time, then half as many, down to one.
template <typename Lane, int Rows>
inline void all_chains(Operand<typename Lane::T> operand, std::int64_t count,
                       const typename Lane::T* in, typename Lane::T* out) {
  std::int64_t i = 0;
  for (; i + Rows <= count; i += Rows, operand.data += Rows * operand.row_step)
    chains<Lane, Rows>(operand, in, out + i * kStripe);
  if constexpr (Rows > 1) all_chains<Lane, Rows / 2>(operand, count - i, in, out + i * kStripe);
}

template <typename Lane, int Rows>
void times(const Piece<typename Lane::T>& piece, const typename Lane::T* in,
           typename Lane::T* out) {
  all_chains<Lane, Rows>({piece.data, piece.step, 1, piece.cols}, piece.rows, in, out);
}

template <typename Lane, int Rows>
void transposed_times(const Piece<typename Lane::T>& piece, const typename Lane::T* in,
                      typename Lane::T* out) {
  all_chains<Lane, Rows>({piece.data, 1, piece.step, piece.rows}, piece.cols, in, out);
}

}  // namespace koine::lowrank::skinny
