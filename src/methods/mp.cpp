#include "methods/methods.hpp"
#include "methods/parts.hpp"

namespace koine::methods {
namespace {

/// Magnitude pruning: M = tau where |tau| is among the largest, zero elsewhere (lors at rank 0).
class Mp final : public Method {
 public:
  [[nodiscard]] std::string_view name() const override { return "mp"; }
  [[nodiscard]] bool selects() const override { return true; }
  [[nodiscard]] bool keeps_largest() const override { return true; }
  [[nodiscard]] stats::ExpertRow low_part(MatrixView tau, const PruneParameters& parameters,
                                          std::span<float> low,
                                          lowrank::Workspace& workspace) const override {
    stats::ExpertRow row;
    PruneParameters without_low_rank = parameters;
    without_low_rank.rank = {};
    take_low_rank(tau, without_low_rank, low, workspace, row);
    return row;
  }
};

}  // namespace

std::unique_ptr<Method> make_mp() {
  return std::make_unique<Mp>();
}

}  // namespace koine::methods
