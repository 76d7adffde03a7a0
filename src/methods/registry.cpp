#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "core/error.hpp"
#include "methods/methods.hpp"

namespace koine::methods {
namespace {

using Maker = std::unique_ptr<Method> (*)();
struct Row {
  std::string_view name;
  Maker make;
};
constexpr std::array<Row, 5> kRegistry{{{"lors", make_lors},
                                        {"svp", make_svp},
                                        {"mp", make_mp},
                                        {"task_arithmetic", make_task_arithmetic},
                                        {"linear", make_linear}}};

}  // namespace

std::unique_ptr<Method> make(std::string_view name) {
  for (const Row& row : kRegistry) {
    if (row.name == name) return row.make();
  }
  throw InputError(fmt::format("merge_method '{}' is not in this version", name));
}

LowPart Method::low_part(MatrixView /*tau*/, const PruneParameters& /*parameters*/,
                         lowrank::Workspace& /*workspace*/, stats::ExpertRow& /*row*/) const {
  throw std::logic_error(fmt::format("method '{}' selects nothing, so it prunes nothing", name()));
}

}  // namespace koine::methods
