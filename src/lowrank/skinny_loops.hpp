#pragma once

/// The loops of skinny_kernels.hpp over a vector type: Lane has T, Vector, kRegisters (vectors of
/// one stripe), load, store, broadcast, add and fma; a lane of columns has kWidth (elements of a
/// vector), kVectors, kBlock (columns of the block at a time) and load_any (of any address) as
/// well.

#include "core/read_ahead.hpp"
#include "lowrank/skinny_kernels.hpp"

namespace koine::lowrank::skinny {

/// Element (r, k) at data + r * row_step + k * term_step; k < terms is summed over.
template <typename T>
struct Operand {
  const T* data;
  std::int64_t row_step, term_step, terms;
};

template <typename Lane>
inline std::int64_t end_of_chain(std::int64_t begin, std::int64_t terms) {
  return begin + kSkinnyChain < terms ? begin + kSkinnyChain : terms;
}

template <typename Lane>
inline void add(typename Lane::T* to, typename Lane::Vector x) {
  Lane::store(to, Lane::add(Lane::load(to), x));
}

/// `Rows` outputs at a time. A `RowStep` that is known here (else 0) takes no register. `Ahead`:
/// the rows behind these are asked for, a cache line at a time.
template <typename Lane, int Rows, std::int64_t RowStep, bool Ahead>
inline void chains(const Operand<typename Lane::T>& operand, const typename Lane::T* in,
                   typename Lane::T* out) {
  using T = typename Lane::T;
  constexpr int kVectors = Lane::kRegisters;
  constexpr std::int64_t kWidth = kStripe / kVectors, kLine = 64 / sizeof(T);
  const T* a = operand.data;
  const std::int64_t row_step = RowStep > 0 ? RowStep : operand.row_step;
  const std::int64_t term_step = operand.term_step;
  for (std::int64_t begin = 0; begin < operand.terms; begin += kSkinnyChain) {
    typename Lane::Vector sum[Rows][kVectors] = {};
    const std::int64_t end = end_of_chain<Lane>(begin, operand.terms);
    for (std::int64_t k = begin; k < end; ++k, a += term_step, in += kStripe) {
      if (Ahead && k % kLine == 0) {
        for (int r = 0; r < Rows; ++r) __builtin_prefetch(a + (Rows + r) * row_step);
      }
      typename Lane::Vector b[kVectors];
      for (int v = 0; v < kVectors; ++v) b[v] = Lane::load(in + v * kWidth);
      for (int r = 0; r < Rows; ++r) {
        const typename Lane::Vector x = Lane::broadcast(a + r * row_step);
        for (int v = 0; v < kVectors; ++v) sum[r][v] = Lane::fma(x, b[v], sum[r][v]);
      }
    }
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < kVectors; ++v) add<Lane>(out + r * kStripe + v * kWidth, sum[r][v]);
    }
  }
}

/// As many outputs as there are, `Rows` at a time, then half as many, down to one.
template <typename Lane, int Rows, std::int64_t RowStep = 0, bool Ahead = false>
inline void all_chains(Operand<typename Lane::T> operand, std::int64_t count,
                       const typename Lane::T* in, typename Lane::T* out) {
  std::int64_t i = 0;
  for (; i + Rows <= count; i += Rows, operand.data += Rows * operand.row_step)
    chains<Lane, Rows, RowStep, Ahead>(operand, in, out + i * kStripe);
  if constexpr (Rows > 1)
    all_chains<Lane, Rows / 2, RowStep, Ahead>(operand, count - i, in, out + i * kStripe);
}

/// `Rows` at a time; of a packed panel, whose rows lie together, `PackedRows`.
template <typename Lane, int Rows, int PackedRows>
void times(const Piece<typename Lane::T>& piece, const typename Lane::T* in,
           typename Lane::T* out) {
  const Operand<typename Lane::T> operand{piece.data, piece.step, 1, piece.cols};
  if (piece.step == kTauPanel) {
    all_chains<Lane, PackedRows, kTauPanel>(operand, piece.rows, in, out);
  } else {
    all_chains<Lane, Rows, 0, true>(operand, piece.rows, in, out);
  }
}

/// As transposed_times, of kWidth * Vectors columns of the piece: a vector of them meets kBlock
/// columns of the block in turn, so that a load serves several chains.
template <typename Lane, int Vectors>
inline void outer_products(const Piece<typename Lane::T>& piece, const typename Lane::T* in,
                           typename Lane::T* tile) {
  constexpr int kBlock = Lane::kBlock;
  constexpr std::int64_t kColumns = Vectors * Lane::kWidth;
  const typename Lane::T* a = piece.data;
  for (std::int64_t begin = 0; begin < piece.rows; begin += kSkinnyChain) {
    typename Lane::Vector sum[kBlock][Vectors] = {};
    const std::int64_t end = end_of_chain<Lane>(begin, piece.rows);
    for (std::int64_t k = begin; k < end; ++k, a += piece.step, in += kStripe) {
      typename Lane::Vector x[Vectors];
      for (int v = 0; v < Vectors; ++v) x[v] = Lane::load_any(a + v * Lane::kWidth);
      for (int j = 0; j < kBlock; ++j) {
        const typename Lane::Vector b = Lane::broadcast(in + j);
        for (int v = 0; v < Vectors; ++v) sum[j][v] = Lane::fma(x[v], b, sum[j][v]);
      }
    }
    for (int j = 0; j < kBlock; ++j) {
      for (int v = 0; v < Vectors; ++v)
        add<Lane>(tile + j * kColumns + v * Lane::kWidth, sum[j][v]);
    }
  }
}

/// The same for a whole stripe: its outputs are turned for the time.
template <typename Lane, int Vectors>
inline void turned_products(const Piece<typename Lane::T>& piece, const typename Lane::T* in,
                            typename Lane::T* out) {
  constexpr std::int64_t kColumns = Vectors * Lane::kWidth;
  alignas(64) typename Lane::T turned[kStripe * kColumns];
  for (std::int64_t c = 0; c < kColumns; ++c) {
    for (std::int64_t j = 0; j < kStripe; ++j) turned[j * kColumns + c] = out[c * kStripe + j];
  }
  for (std::int64_t j = 0; j < kStripe; j += Lane::kBlock)
    outer_products<Lane, Vectors>(piece, in + j, turned + j * kColumns);
  for (std::int64_t c = 0; c < kColumns; ++c) {
    for (std::int64_t j = 0; j < kStripe; ++j) out[c * kStripe + j] = turned[j * kColumns + c];
  }
}

/// As many columns as fill vectors; returns how many.
template <typename Lane, int Vectors>
inline std::int64_t all_products(Piece<typename Lane::T> piece, const typename Lane::T* in,
                                 typename Lane::T* out) {
  constexpr std::int64_t kColumns = Vectors * Lane::kWidth;
  std::int64_t done = 0;
  for (; done + kColumns <= piece.cols; done += kColumns) {
    turned_products<Lane, Vectors>(piece, in, out + done * kStripe);
    piece.data += kColumns;
  }
  if constexpr (Vectors > 1) {
    piece.cols -= done;
    done += all_products<Lane, Vectors - 1>(piece, in, out + done * kStripe);
  }
  return done;
}

template <typename Lane, int Rows>
void transposed_times(const Piece<typename Lane::T>& piece, const typename Lane::T* in,
                      typename Lane::T* out) {
  all_chains<Lane, Rows, 1>({piece.data, 1, piece.step, piece.rows}, piece.cols, in, out);
}

/// transposed_times where chains are long enough for turning their outputs; `Columns` is the lane.
template <typename Lane, int Rows, typename Columns>
void transposed_times_by_columns(const Piece<typename Lane::T>& piece, const typename Lane::T* in,
                                 typename Lane::T* out) {
  constexpr std::int64_t kLong = 256;
  const std::int64_t done =
      piece.rows < kLong ? 0 : all_products<Columns, Columns::kVectors>(piece, in, out);
  transposed_times<Lane, Rows>({piece.data + done, piece.rows, piece.cols - done, piece.step}, in,
                               out + done * kStripe);
}

constexpr std::int64_t kFloatLine = 16;  // floats of a cache line

template <typename Lane>
void widen(const Piece<float>& piece, typename Lane::T* out) {
  for (std::int64_t i = 0; i < piece.rows; ++i, out += piece.cols) {
    const float* row = piece.data + i * piece.step;
    for (std::int64_t k = 0; k < piece.cols; k += kFloatLine) read_ahead(row + k);
    for (std::int64_t k = 0; k < piece.cols; ++k) out[k] = static_cast<typename Lane::T>(row[k]);
  }
}

}  // namespace koine::lowrank::skinny
