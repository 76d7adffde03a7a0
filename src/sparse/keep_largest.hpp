#pragma once

#include <cstdint>
#include <span>

namespace koine::sparse {

/// Which entries of |x| are kept: all keys above `threshold_key`, and the first `ties` of those
/// equal to it.
struct Threshold {
  std::uint32_t key =
      0;  ///< bits of the smallest kept magnitude (rules::magnitude_key); 0 where nothing is kept
  std::int64_t ties = 0;  ///< entries equal to the threshold that are kept, lowest index first
  std::int64_t kept = 0;  ///< k
  [[nodiscard]] float magnitude()
      const noexcept;  ///< the threshold as a number; +infinity where kept == 0
};

/// k = int(numel * density), in double.  @pre 0 <= density <= 1
[[nodiscard]] std::int64_t keep_count(std::int64_t numel, double density) noexcept;

/// The k-th largest |tau_i - low_i| (float32 difference), exactly, by radix histograms of the bits:
/// integer work, so the result does not depend on threads or order. Cost: three passes over tau and
/// low.
/// @pre tau.size() == low.size() (or low is empty: the residual is tau); all finite; 0 <= k <=
/// tau.size()
[[nodiscard]] Threshold kth_largest(std::span<const float> tau, std::span<const float> low,
                                    std::int64_t k);

/// In place: low_i <- tau_i where |tau_i - low_i| is kept by `threshold` (M = where(mask, tau, L)).
/// Returns how many entries were taken: threshold.kept.
std::int64_t take_kept(std::span<const float> tau, std::span<float> low,
                       const Threshold& threshold);

}  // namespace koine::sparse
