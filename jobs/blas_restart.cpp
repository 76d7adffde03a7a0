#include "blas_restart.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "core/spawn.hpp"
#include "lowrank/blas_kernels.hpp"

namespace koine::jobs {
namespace {

/// Commands that factorise, and the one that names the kernels.
constexpr std::array<std::string_view, 6> kWithArithmetic{"merge",  "sweep", "export",
                                                          "verify", "bench", "--version"};

}  // namespace

void restart_with_better_blas_kernels(int argc, char** argv) {
  constexpr const char* kVariable = "OPENBLAS_CORETYPE";
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (std::ranges::find(kWithArithmetic, command) == kWithArithmetic.end()) return;
  if (std::getenv(kVariable) != nullptr) return;
  const std::string kernels = lowrank::better_blas_kernels();
  if (kernels.empty()) return;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error && set_for_this_program(kVariable, kernels.c_str())) ::execv(program.c_str(), argv);
}

}  // namespace koine::jobs
