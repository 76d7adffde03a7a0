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
  [[nodiscard]] LowPart low_part(MatrixView tau, const PruneParameters& parameters,
                                 lowrank::Workspace& workspace,
                                 stats::ExpertRow& row) const override {
    PruneParameters without_low_rank = parameters;
    without_low_rank.rank = {};
    return low_rank_part(tau, without_low_rank, workspace, row);
  }
};

}  // namespace

std::unique_ptr<Method> make_mp() {
  return std::make_unique<Mp>();
}

}  // namespace koine::methods
