#include "core/thread_pool.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace koine {

void parallel_for(std::int64_t count, int threads,
                  const std::function<void(std::int64_t, int)>& work) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex guard;
  std::exception_ptr first;
  const auto run = [&](int thread) {
    while (!failed) {
      const std::int64_t index = next++;
      if (index >= count) return;
      try {
        work(index, thread);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (!first) first = std::current_exception();
        failed = true;
      }
    }
  };
  std::vector<std::jthread> helpers;
  for (int thread = 1; thread < threads && thread < count; ++thread)
    helpers.emplace_back(run, thread);
  run(0);
  helpers.clear();
  if (first) std::rethrow_exception(first);
}

}  // namespace koine
