#pragma once

#include <cstdint>

#include "kernels/stream.hpp"

/// The largest entries of |tau - low|, found and taken in device memory: integer work, so that the
/// answer is the host's (src/sparse) whatever the launch. Asynchronous, local.
/// @throws DeviceError if a launch fails
namespace koine::kernels {

/// Where a search stands: after the last digit, `key` is the k-th largest key and `left` says how
/// many entries on it are kept.
struct SearchState {
  std::int64_t left;
  std::uint32_t key;
};

/// Two row-major matrices of `count` elements.
struct ResidualOf {
  const float *tau, *low;
  std::int64_t count;
};

inline constexpr std::int64_t kSelectBins = 2048;

/// state <- the k-th largest. `bins`: kSelectBins. Cost: three reads of both matrices.
/// @pre 1 <= k <= count; state->left == k, state->key == 0; all finite
void kth_largest(const ResidualOf& residual, SearchState* state, unsigned long long* bins,
                 Stream* stream);

/// Which entries are taken: all keys above `key`, and the first `ties` of those on it.
struct TakeRule {
  std::uint32_t key;
  std::int64_t ties;
};

/// int64s of scratch that take_kept needs.
[[nodiscard]] std::int64_t tie_counts(std::int64_t count) noexcept;

/// low_i <- tau_i where |tau_i - low_i| is kept; taken <- how many were. `ties`: tie_counts(count).
/// Cost: two reads of both matrices, one write.
struct Taking {
  const float* tau;
  float* low;
  std::int64_t count;
};
void take_kept(const Taking& matrices, TakeRule rule, unsigned long long* taken, std::int64_t* ties,
               Stream* stream);

}  // namespace koine::kernels
