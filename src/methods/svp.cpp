#include "methods/methods.hpp"
#include "methods/parts.hpp"

namespace koine::methods {
namespace {

/// Singular-value pruning: M = L, the rank-r part of tau.
class Svp final : public Method {
 public:
  [[nodiscard]] std::string_view name() const override { return "svp"; }
  [[nodiscard]] bool selects() const override { return true; }
  [[nodiscard]] bool keeps_low_rank() const override { return true; }
  [[nodiscard]] stats::ExpertRow low_part(MatrixView tau, const PruneParameters& parameters,
                                          std::span<float> low,
                                          lowrank::Workspace& workspace) const override {
    stats::ExpertRow row;
    take_low_rank(tau, parameters, low, workspace, row);
    return row;
  }
};

}  // namespace

std::unique_ptr<Method> make_svp() {
  return std::make_unique<Svp>();
}

}  // namespace koine::methods
