#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/cuda/handles.hpp"

/// The ways between a host's memory and a lane's kernels: page-locked buffers here, as many there,
/// a stream for each way. A buffer is used by one thread at a time, which hands it on; different
/// buffers may be used by different threads. All @throws DeviceError
namespace koine::cuda {

/// To the device.
class Intake {
 public:
  explicit Intake(std::int32_t buffers);

  /// Host memory to be filled: waits until kernels have used what was sent from it before.
  std::byte* room(std::int32_t buffer, std::int64_t bytes);
  /// Starts the copy of what was filled in.
  void send(std::int32_t buffer, std::int64_t bytes);

  /// What was sent, for work of `user` that comes after this call.
  [[nodiscard]] const std::byte* arrived(std::int32_t buffer, cudaStream_t user);
  /// The work of `user` so far is all that needs it.
  void used(std::int32_t buffer, cudaStream_t user);

  /// How long copies took: waits for those that are under way.  @pre nobody fills a buffer
  [[nodiscard]] double seconds();

 private:
  struct Slot {
    PinnedBuffer host;
    Buffer<std::byte> device;
    Event begun = make_event(), arrived = make_event(), used = make_event();
    bool is_under_way = false;
    double seconds = 0;
  };
  static void note_time(Slot& slot);

  Stream stream_ = make_stream();
  std::vector<Slot> slots_;
};

/// From the device.
class Outlet {
 public:
  explicit Outlet(std::int32_t buffers);

  /// Device memory to be filled: waits until what it held has been copied.
  std::byte* room(std::int32_t buffer, std::int64_t bytes);
  /// Starts the copy of what the work of `maker` so far makes.
  void send(std::int32_t buffer, std::int64_t bytes, cudaStream_t maker);

  /// The copy, in host memory: waits for it. Valid until the buffer's next send.
  [[nodiscard]] const std::byte* take(std::int32_t buffer);

  [[nodiscard]] double seconds() const noexcept;  ///< of the copies that were taken

 private:
  struct Slot {
    PinnedBuffer host;
    Buffer<std::byte> device;
    Event made = make_event(), begun = make_event(), copied = make_event();
    double seconds = 0;
  };
  Stream stream_ = make_stream();
  std::vector<Slot> slots_;
};

}  // namespace koine::cuda
