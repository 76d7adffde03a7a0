#pragma once

#include <cstdint>
#include <vector>

#include "methods/low_part.hpp"
#include "sparse/residual.hpp"

namespace koine::methods {

/// tau - L of a product that is made in strips. Keeps a reference.  @pre low.product() != nullptr
class ResidualStrips final : public sparse::ResidualPieces {
 public:
  explicit ResidualStrips(LowPart& low) : low_(low) {}
  [[nodiscard]] std::int64_t count() const override { return low_.tau().size(); }
  void for_each(const Use& use) override;
  /// Eight entries of every eleventh or so tile of a row.
  [[nodiscard]] std::vector<float> sample() override;

 private:
  LowPart& low_;
};

}  // namespace koine::methods
