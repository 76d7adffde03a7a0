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
  [[nodiscard]] stats::ExpertRow low_part(MatrixView tau, const PruneParameters& parameters,
                                          std::span<float> low,
                                          lowrank::Workspace& workspace) const override {
    stats::ExpertRow row;
    take_low_rank(tau, parameters, low, workspace, row);
    return row;
  }
};

}  // namespace

std::unique_ptr<Method> make_lors() {
  return std::make_unique<Lors>();
}

}  // namespace koine::methods
