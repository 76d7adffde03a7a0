#include "backend/elementwise_loops.hpp"

#if defined(__x86_64__)
namespace koine::backend {

const ElementwiseKernels& elementwise_avx2() {
  static constexpr ElementwiseKernels kKernels = kernels_named("avx2");
  return kKernels;
}

}  // namespace koine::backend
#endif
