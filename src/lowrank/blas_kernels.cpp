#include "lowrank/blas_kernels.hpp"

#include <algorithm>
#include <array>

#include <cblas.h>

#include "core/cpu.hpp"

namespace koine::lowrank {
namespace {

/// OpenBLAS' x86 kernels that know no AVX2.
constexpr std::array<std::string_view, 20> kBeforeAvx2 = {
    "Katmai", "Coppermine", "Northwood",   "Prescott",  "Banias",     "Atom",         "Core2",
    "Penryn", "Dunnington", "Nehalem",     "Athlon",    "Opteron",    "Opteron_SSE3", "Barcelona",
    "Nano",   "Bobcat",     "Sandybridge", "Bulldozer", "Piledriver", "Steamroller"};

}  // namespace

std::string better_kernels(std::string_view in_use, bool has_avx2, bool has_avx512) {
  const bool is_old =
      std::find(kBeforeAvx2.begin(), kBeforeAvx2.end(), in_use) != kBeforeAvx2.end();
  if (!is_old || !has_avx2) return {};
  return has_avx512 ? "SkylakeX" : "Haswell";
}

std::string better_blas_kernels() {
  return better_kernels(openblas_get_corename(), cpu_has_avx2(), cpu_has_avx512());
}

}  // namespace koine::lowrank
