#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "backend/cuda_table.hpp"

namespace koine::backend {

/// A selected matrix, as far as its room on a device goes.
struct MatrixNeed {
  std::int64_t rows = 0, cols = 0;
  struct Widths {
    std::int64_t base = 0, expert = 0, result = 0;
  } stored{};                ///< bytes of an element
  std::int64_t experts = 1;  ///< task vectors of a matrix
  std::int64_t pairs = 0;    ///< of the largest rung, and one more
  std::int64_t basis = 0;    ///< vectors of a Krylov basis; 0: none is built
};

/// Matrices of which a batch of `slots` task vectors may hold some, a matrix' after another's.
[[nodiscard]] std::int64_t places_of(int slots, std::int64_t experts) noexcept;

/// About how many bytes of device memory a lane needs for all of these, one after the other: each
/// of its buffers grows to the largest that any of them asks for. gram: how it sums G first.
[[nodiscard]] std::int64_t lane_bytes(std::span<const MatrixNeed> needs, int slots,
                                      cuda::Gram gram = cuda::Gram::float64);

/// Memory of a device, and how many processes work there.
struct DeviceRoom {
  std::int64_t memory = 0, free = 0;  ///< bytes
  int processes = 1;
};

struct LanePlan {
  int slots = 0;  ///< task vectors that a lane works on at once; part of the results' bits
  int lanes = 0;  ///< threads of a process that work on the device at once
};

inline constexpr int kMostSlots = 8;

/// What fits: `bytes(slots)` says what a lane needs. The slots depend on the device's whole memory
/// alone (8, 4, 2 or 1), so that neither processes nor neighbours change a bit; the lanes, at most
/// `wanted`, on what is free. @throws DeviceError where not even one lane fits
[[nodiscard]] LanePlan plan_lanes(const std::function<std::int64_t(int slots)>& bytes,
                                  const DeviceRoom& room, int wanted);

}  // namespace koine::backend
