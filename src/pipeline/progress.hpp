#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace koine::pipeline {

enum class Stage : std::uint8_t {
  read,
  task_vector,
  prune,
  accumulate,
  round,
  write,
  publish,
  check
};
inline constexpr std::array<std::string_view, 8> kStageNames{
    "read", "task_vector", "prune", "accumulate", "round", "write", "publish", "check"};

/// What a process has done so far. Written by its worker threads, read by whoever shows it.
struct Progress {
  std::atomic<std::int64_t> bytes{
      0};  ///< of inputs and outputs, against Plan's bytes_in + bytes_out
  std::atomic<std::int64_t> tensors{0};
  std::atomic<std::int64_t> matrices{0};        ///< factorised
  std::atomic<std::int64_t> matrices_found{0};  ///< whose factors were kept from before
  bool has_all_factors = false;  ///< a pass over all of them is over: what is found is its own
  std::array<std::atomic<std::int64_t>, kStageNames.size()>
      nanoseconds{};  ///< per stage, added over threads
};

/// Adds the time it lives to a stage.
class StageTimer {
 public:
  StageTimer(Progress& progress, Stage stage)
      : counter_(progress.nanoseconds[static_cast<std::size_t>(stage)]),
        start_(std::chrono::steady_clock::now()) {}
  ~StageTimer() {
    counter_ += (std::chrono::steady_clock::now() - start_) / std::chrono::nanoseconds(1);
  }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  std::atomic<std::int64_t>& counter_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace koine::pipeline
