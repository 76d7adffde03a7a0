#pragma once

#include <cuda_runtime.h>

namespace emulated {

/// Does what waits in any stream, as freeing memory does.
void drain_all();

}  // namespace emulated
