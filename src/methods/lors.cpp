#include "methods/methods.hpp"
#include "methods/parts.hpp"

namespace koine::methods {
namespace {

/// LoRS-Merging (arXiv 2502.17380): M = L + S, L the rank-r part of tau, S the largest entries of
/// tau - L.
class Lors final : public Method {
 public:
  [[nodiscard]] std::string_view name() const override { return "lors"; }
  [[nodiscard]] bool selects() const override { return true; }
  [[nodiscard]] bool keeps_low_rank() const override { return true; }
  [[nodiscard]] bool keeps_largest() const override { return true; }
  [[nodiscard]] LowPart low_part(MatrixView tau, const PruneParameters& parameters,
                                 lowrank::Workspace& workspace,
                                 stats::ExpertRow& row) const override {
    return low_rank_part(tau, parameters, workspace, row);
  }
};

}  // namespace

std::unique_ptr<Method> make_lors() {
  return std::make_unique<Lors>();
}

}  // namespace koine::methods
