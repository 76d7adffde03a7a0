#include "methods/methods.hpp"

namespace koine::methods {
namespace {

/// Weighted average (mergekit's linear): sum_t weight_t W_t / sum_t weight_t, no task vectors.
class Linear final : public Method {
 public:
  [[nodiscard]] std::string_view name() const override { return "linear"; }
  [[nodiscard]] bool adds_task_vectors() const override { return false; }
};

}  // namespace

std::unique_ptr<Method> make_linear() {
  return std::make_unique<Linear>();
}

}  // namespace koine::methods
