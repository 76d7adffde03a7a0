#include "methods/methods.hpp"

namespace koine::methods {
namespace {

/// Task arithmetic (arXiv 2212.04089): M = tau everywhere.
class TaskArithmetic final : public Method {
 public:
  [[nodiscard]] std::string_view name() const override { return "task_arithmetic"; }
};

}  // namespace

std::unique_ptr<Method> make_task_arithmetic() {
  return std::make_unique<TaskArithmetic>();
}

}  // namespace koine::methods
