#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

namespace koine {

/// Values that one thread hands to another, in order. Thread-safe.
template <typename T>
class Handoff {
 public:
  void put(T value) {
    {
      const std::lock_guard lock(guard_);
      values_.push_back(std::move(value));
    }
    changed_.notify_one();
  }

  /// The next value: waits for it. False once the handoff is closed and empty.
  /// @throws what it was closed with
  [[nodiscard]] bool take(T& value) {
    std::unique_lock lock(guard_);
    changed_.wait(lock, [this] { return !values_.empty() || is_closed_; });
    if (failure_) std::rethrow_exception(failure_);
    if (values_.empty()) return false;
    value = std::move(values_.front());
    values_.pop_front();
    return true;
  }

  /// No more will come, because of `failure` if there is one. The first closing counts.
  void close(std::exception_ptr failure = nullptr) {
    {
      const std::lock_guard lock(guard_);
      if (!is_closed_) failure_ = std::move(failure);
      is_closed_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex guard_;  ///< of all below
  std::condition_variable changed_;
  std::deque<T> values_;
  bool is_closed_ = false;
  std::exception_ptr failure_;
};

}  // namespace koine
