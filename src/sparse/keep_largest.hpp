#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sparse/radix.hpp"
#include "sparse/residual.hpp"

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
  bool operator==(const Threshold&) const = default;
};

/// k = int(numel * density), in double.  @pre 0 <= density <= 1
[[nodiscard]] std::int64_t keep_count(std::int64_t numel, double density) noexcept;

/// The k-th largest |tau_i - low_i| (float32 difference), exactly: the result depends on the values
/// alone, not on threads, order or instruction set. Cost: a little more than one pass over tau and
/// low, four where many magnitudes are equal or a sample misleads; memory for an eighth of tau, of
/// which about a fiftieth is touched.
/// @pre tau.size() == low.size() (or low is empty: the residual is tau); all finite; 0 <= k <=
/// tau.size()
[[nodiscard]] Threshold kth_largest(std::span<const float> tau, std::span<const float> low,
                                    std::int64_t k);
/// The same of a residual that comes piece by piece, which are made anew in every pass.
[[nodiscard]] Threshold kth_largest(ResidualPieces& residual, std::int64_t k);

/// Splits a finished search over the matrices that it went over: each keeps what lies above the
/// key; entries equal to it are kept in the order of the matrices, then by index, until k are kept.
/// Each share's `key` is the common one, even where it keeps nothing.
/// @pre found.digit == kDigitCount; standings of all matrices against found.key
[[nodiscard]] std::vector<Threshold> share_out(const Search& found,
                                               std::span<const Standing> standings);

/// In place: low_i <- tau_i where |tau_i - low_i| is kept by `threshold` (M = where(mask, tau, L)).
/// Returns how many entries were taken: threshold.kept.
std::int64_t take_kept(std::span<const float> tau, std::span<float> low,
                       const Threshold& threshold);

/// A part of a matrix.
struct Stretch {
  std::span<const float> tau, low;
};

/// The same of one stretch after the other, into m: `ties` says how many entries that equal the
/// threshold are still to be kept, before and after. Returns how many of this stretch were taken.
std::int64_t take_kept(const Stretch& stretch, std::span<float> m, std::uint32_t key,
                       std::int64_t& ties);

}  // namespace koine::sparse
