#pragma once

#include <algorithm>
#include <chrono>

namespace koine::comm {

using Seconds = std::chrono::duration<double>;

/// Time as this process lives it: while it was stopped itself (SIGSTOP, a suspended job) it could
/// hear of nobody, and that must not count against the others.
class LivedTime {
 public:
  /// Since the last call, or since this object was made; at most `most`.
  [[nodiscard]] Seconds lap(Seconds most) {
    const auto now = std::chrono::steady_clock::now();
    const Seconds passed = now - last_;
    last_ = now;
    return std::min(passed, most);
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace koine::comm
