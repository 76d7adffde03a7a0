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

std::int64_t places_of(int slots, std::int64_t experts) noexcept {
  return slots == 1 ? 1 : (slots - 2) / std::max<std::int64_t>(experts, 1) + 2;
}

std::int64_t lane_bytes(std::span<const MatrixNeed> needs, int slots, cuda::Gram kind) {
  constexpr std::int64_t kFloat = 4, kDouble = 8, kSign = 1;
  const auto most = [&](auto&& of) {
    std::int64_t bytes = 0;
    for (const MatrixNeed& need : needs) {
      bytes = std::max<std::int64_t>(
          bytes, of(need, std::min(need.rows, need.cols), std::max(need.rows, need.cols)));
    }
    return bytes;
  };
  using Need = const MatrixNeed&;
  using Side = std::int64_t;
  const Side elements = most([&](Need need, Side m, Side n) {
    const auto& [base, expert, result] = need.stored;
    const Side in_place = base + kDouble + kSign;  // and its sum and signs
    const Side on_the_way =
        cuda::kIntakeBuffers * std::max(base, expert) + cuda::kOutletBuffers * result;
    // tau of the host, against zeros, where one matrix is factorised by itself.
    const Side by_itself = kFloat + std::max<Side>(kFloat - base, 0);
    return m * n *
           (places_of(slots, need.experts) * in_place + on_the_way + by_itself +
            kFloat * (slots + 1));
  });
  const Side gram = most([](Need, Side m, Side) { return m * m; });
  const Side panel = most([](Need, Side m, Side n) { return m * std::min(kPanel, n); });
  // Q and the block after it; H, its copy and what the batched solver takes; blocks of b by b.
  const Side basis = most([](Need x, Side m, Side) { return x.basis * m + x.pairs * m; });
  const Side inner = most([](Need x, Side, Side) {
    return x.basis == 0 ? 0 : 5 * x.basis * x.basis + 2 * x.basis * x.pairs + 4 * x.pairs * x.pairs;
  });
  const Side vectors = most([](Need x, Side m, Side) { return m * x.pairs; });
  // The full solver: a copy, its vectors and its workspace.
  const Side dense = most([](Need x, Side m, Side n) { return 3 * m * m + 2 * (m + n) * x.pairs; });
  // One G to be proved; pairs of Krylov and of a dense solver. By float32 too: a chain, pairs and
  // their images.
  Side of_slot = 2 * gram + panel + basis + inner + 2 * vectors;
  if (kind == cuda::Gram::float32) of_slot += gram / 2 + 2 * vectors;
  return elements + kDouble * (slots * of_slot + dense) + kHandles;
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
