#pragma once

namespace koine::jobs {

/// Starts this program again with OPENBLAS_CORETYPE set where OpenBLAS chose kernels that are too
/// old for this CPU (lowrank/blas_kernels.hpp): it reads the variable only as it is loaded. Returns
/// where there is nothing to gain, where the variable is set already, for commands without
/// arithmetic, and where the program cannot be started again. To be called first of all, before
/// MPI.
void restart_with_better_blas_kernels(int argc, char** argv);

}  // namespace koine::jobs
