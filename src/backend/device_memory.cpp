#include "backend/device_memory.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace koine::backend {
namespace {

constexpr std::int64_t kPanel = 2048;                      // columns of A in float64 at a time
constexpr std::int64_t kHandles = std::int64_t{96} << 20;  // workspaces of cuBLAS and cuSOLVER
constexpr double kShare = 0.9;                             // the rest is for CUDA itself

std::int64_t usable(std::int64_t bytes) {
  return static_cast<std::int64_t>(kShare * static_cast<double>(bytes));
}

}  // namespace

std::int64_t lane_bytes(const MatrixNeed& need, int slots) noexcept {
  constexpr std::int64_t kFloat = 4, kDouble = 8, kSign = 1;
  const std::int64_t m = std::min(need.rows, need.cols), n = std::max(need.rows, need.cols);
  const std::int64_t count = m * n, k = need.basis, b = need.pairs;
  const std::int64_t elements = count * (need.stored + kFloat * (slots + 1) + kDouble + kSign);
  const std::int64_t gram = m * m + m * std::min(kPanel, n);
  // Q and the block after it; H, its copy and what the batched solver takes; blocks of b by b.
  const std::int64_t space = k == 0 ? 0 : m * (k + b) + 5 * k * k + 2 * k * b + 4 * b * b;
  // The full solver: a copy, its vectors and its workspace.
  const std::int64_t dense = 4 * m * m + (2 * m + 2 * n) * b;
  return elements + kDouble * (slots * (gram + space + m * b) + dense) + kHandles;
}

LanePlan plan_lanes(const std::function<std::int64_t(int slots)>& bytes, const DeviceRoom& room,
                    int wanted) {
  for (int slots = kMostSlots; slots >= 1; slots /= 2) {
    if (bytes(slots) > usable(room.memory)) continue;
    const std::int64_t lanes = usable(room.free) / std::max(room.processes, 1) / bytes(slots);
    if (lanes >= 1) return {slots, static_cast<int>(std::min<std::int64_t>(lanes, wanted))};
    throw DeviceError("the largest matrix needs " + human_bytes(bytes(slots)) +
                      " of device memory per process, of which " + human_bytes(room.free) +
                      " are free for " + std::to_string(room.processes) +
                      (room.processes == 1 ? " process" : " processes") +
                      "; start fewer processes per GPU, free some of it, or use --backend cpu");
  }
  throw DeviceError("the largest matrix needs " + human_bytes(bytes(1)) +
                    " of device memory, and this GPU has " + human_bytes(room.memory) +
                    "; leave it out of `select`, or use --backend cpu");
}

}  // namespace koine::backend
