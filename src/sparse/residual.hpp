#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sparse/select_kernels.hpp"

namespace koine::sparse {

/// tau - low of one matrix, piece by piece: low need not lie in memory.
class ResidualPieces {
 public:
  using Use = std::function<void(const Residual& piece)>;

  ResidualPieces() = default;
  ResidualPieces(const ResidualPieces&) = delete;
  ResidualPieces& operator=(const ResidualPieces&) = delete;
  virtual ~ResidualPieces() = default;

  [[nodiscard]] virtual std::int64_t count() const = 0;
  /// Calls use(piece) for all entries, in order.
  virtual void for_each(const Use& use) = 0;
  /// |tau_i - low_i| of about every hundredth entry, from all rows and columns; always the same.
  [[nodiscard]] virtual std::vector<float> sample() = 0;
};

/// Of what lies in memory: one piece.
class StoredResidual final : public ResidualPieces {
 public:
  /// Keeps views.  @pre tau.size() == low.size() (or low is empty: the residual is tau)
  StoredResidual(std::span<const float> tau, std::span<const float> low);
  [[nodiscard]] std::int64_t count() const override { return all_.count; }
  void for_each(const Use& use) override { use(all_); }
  [[nodiscard]] std::vector<float> sample() override;

 private:
  Residual all_;
};

}  // namespace koine::sparse
