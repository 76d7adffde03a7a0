#pragma once

#include <cstdint>
#include <functional>

namespace koine {

/// Calls work(index, thread) for index = 0 … count - 1 on `threads` threads (the caller's
/// included); each index once, handed out in order. Returns when all are done. The first exception
/// stops the handing out and is thrown again here.
/// @pre threads >= 1; 0 <= thread < threads
void parallel_for(std::int64_t count, int threads,
                  const std::function<void(std::int64_t index, int thread)>& work);

}  // namespace koine
