#include "blas_restart.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <unistd.h>

#include "lowrank/blas_kernels.hpp"

namespace koine::jobs {

void restart_with_better_blas_kernels(char** argv) {
  constexpr const char* kVariable = "OPENBLAS_CORETYPE";
  if (std::getenv(kVariable) != nullptr) return;
  const std::string kernels = lowrank::better_blas_kernels();
  if (kernels.empty()) return;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || ::setenv(kVariable, kernels.c_str(), 1) != 0) return;
  ::setenv("KOINE_SET_OPENBLAS_CORETYPE", "1", 1);  // what we start has its own choice
  ::execv(program.c_str(), argv);
}

}  // namespace koine::jobs
