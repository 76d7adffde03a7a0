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
  [[nodiscard]] LowPart low_part(MatrixView tau, const PruneParameters& parameters,
                                 lowrank::Workspace& workspace,
                                 stats::ExpertRow& row) const override {
    return low_rank_part(tau, parameters, workspace, row);
  }
};

}  // namespace

std::unique_ptr<Method> make_svp() {
  return std::make_unique<Svp>();
}

}  // namespace koine::methods
