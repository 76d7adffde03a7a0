#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "backend/elementwise.hpp"
#include "core/shape.hpp"
#include "lowrank/aligned.hpp"
#include "lowrank/product.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::methods {

/// L, the part of low rank of one task vector: nothing, tau itself, or a product of factors. A
/// product is made in strips of whole rows whenever they are asked for and never lies in memory.
/// Keeps the address of tau. Move-only.
class LowPart {
 public:
  LowPart() = default;
  [[nodiscard]] static LowPart nothing(MatrixView tau) { return {tau, false}; }
  [[nodiscard]] static LowPart whole(MatrixView tau) { return {tau, true}; }
  LowPart(MatrixView tau, lowrank::Factors factors);
  LowPart(LowPart&&) = default;
  LowPart& operator=(LowPart&&) = default;
  LowPart(const LowPart&) = delete;
  LowPart& operator=(const LowPart&) = delete;
  ~LowPart() = default;

  /// L from `element` on, as far as it lies in memory; valid until the next call. Cost: of a
  /// product a strip, unless the one before it was the same.
  /// @pre element < tau.size()
  [[nodiscard]] std::span<const float> from(std::int64_t element);

  /// |L|_F^2 of a product as backend::sum_of_squares adds it up, else 0.
  /// @pre `from` was called for all of its strips, in order
  [[nodiscard]] double squared() const noexcept { return squares_.total(); }

  /// low <- L; returns |L|_F^2.  @pre low.size() == tau.size()
  double store(std::span<float> low) const;

  [[nodiscard]] const MatrixView& tau() const noexcept { return tau_; }
  /// Null where L is no product.
  [[nodiscard]] const lowrank::ProductRows* product() const noexcept {
    return rows_ ? &*rows_ : nullptr;
  }
  [[nodiscard]] bool is_nothing() const noexcept { return !is_whole_ && !rows_; }

 private:
  LowPart(MatrixView tau, bool is_whole) : tau_(tau), is_whole_(is_whole) {}
  void make_strip(const lowrank::ProductRows& rows, std::int64_t first, std::int64_t count);

  MatrixView tau_{};
  bool is_whole_ = false;
  lowrank::Factors factors_;  ///< of a product; its values never move
  std::optional<lowrank::ProductRows> rows_;
  lowrank::Scratch<float> strip_;
  std::int64_t strip_first_ = -1;  ///< the element that strip_ begins with
  std::int64_t summed_ = 0;        ///< elements whose squares are in squares_
  backend::SquareSum squares_;
};

}  // namespace koine::methods
