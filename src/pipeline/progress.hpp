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

/// What works for a GPU's lane: storage, its copies, its kernels.
enum class Resource : std::uint8_t { reading, to_device, kernels, from_device, writing };
inline constexpr std::array<std::string_view, 5> kResourceNames{"reading", "to the GPU", "kernels",
                                                                "from the GPU", "writing"};

/// What a GPU's kernels are for, as backend::DeviceLane::Work numbers them.
inline constexpr std::array<std::string_view, 5> kKernelNames{"Gram", "Krylov", "proofs",
                                                              "selection", "sums"};

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
  /// Of a GPU's lanes, added: how long they were in use, and how long each resource worked for them
  /// meanwhile. They overlap: together they may be busy for longer.
  std::atomic<std::int64_t> lane_nanoseconds{0};
  std::array<std::atomic<std::int64_t>, kResourceNames.size()> busy_nanoseconds{};

  std::array<std::atomic<std::int64_t>, kKernelNames.size()> kernel_nanoseconds{};

  void add_busy(Resource resource, double seconds) {
    busy_nanoseconds[static_cast<std::size_t>(resource)] +=
        static_cast<std::int64_t>(1e9 * seconds);
  }
  /// To what kernels of a kind were busy with, and to all of them.
  void add_kernels(std::size_t kind, double seconds) {
    kernel_nanoseconds[kind] += static_cast<std::int64_t>(1e9 * seconds);
    add_busy(Resource::kernels, seconds);
  }
};

/// Adds the time it lives to a counter.
class Stopwatch {
 public:
  explicit Stopwatch(std::atomic<std::int64_t>& nanoseconds)
      : counter_(nanoseconds), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    counter_ += (std::chrono::steady_clock::now() - start_) / std::chrono::nanoseconds(1);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  std::atomic<std::int64_t>& counter_;
  std::chrono::steady_clock::time_point start_;
};

/// Adds the time it lives to a stage.
class StageTimer {
 public:
  StageTimer(Progress& progress, Stage stage)
      : watch_(progress.nanoseconds[static_cast<std::size_t>(stage)]) {}

 private:
  Stopwatch watch_;
};

/// Adds the time it lives to a resource of a GPU's lane.
class BusyTimer {
 public:
  BusyTimer(Progress& progress, Resource resource)
      : watch_(progress.busy_nanoseconds[static_cast<std::size_t>(resource)]) {}

 private:
  Stopwatch watch_;
};

}  // namespace koine::pipeline
