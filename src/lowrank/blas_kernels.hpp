#pragma once

#include <string>
#include <string_view>

namespace koine::lowrank {

/// OpenBLAS' name of kernels that make use of a CPU where it chose some that do not; empty where
/// its choice is good. OpenBLAS knows CPUs by model number: one that is newer than itself gets the
/// kernels of 2004 (OpenBLAS 0.3.21 on Xeons of 2023: Prescott, a sixth of the speed).
/// @param in_use what openblas_get_corename() says
[[nodiscard]] std::string better_kernels(std::string_view in_use, bool has_avx2, bool has_avx512);

/// The same of the BLAS and the CPU at hand.
[[nodiscard]] std::string better_blas_kernels();

}  // namespace koine::lowrank
