#pragma once

/// The loops of selection over |tau - low|, once per instruction set. Included by files built with
/// wider instructions: no standard header with inline functions may be included here.

#include <cstdint>

namespace koine::sparse {

/// tau, and low beside it; low == nullptr: the residual is tau.
struct Residual {
  const float* tau;
  const float* low;
  std::int64_t count;
};

/// How many |tau_i - low_i| lie above a key, and on it.
struct Standing {
  std::int64_t above = 0, equal = 0;
};

/// What a pass with a bracket of keys found.
struct Caught {
  std::int64_t above = 0;   ///< keys above the bracket
  std::int64_t inside = 0;  ///< keys inside it, all of them written
};

/// A kernel may write so many floats behind the last one that it caught.
inline constexpr std::int64_t kSlack = 16;

/// All variants give the same bits: the rules are rules::magnitude_key and the order of index.
struct SelectKernels {
  const char* name;
  Standing (*compare)(const Residual&, std::uint32_t key);
  /// Writes the magnitudes whose key is in [lowest, highest], in order.
  /// @pre highest < 2^31; out has room for count + kSlack
  Caught (*gather)(const Residual&, std::uint32_t lowest, std::uint32_t highest, float* out);
  /// out_i <- tau_i where the key is above `key`, and for the first `ties` of those on it, of which
  /// `ties` then says how many are left; low_i elsewhere. Returns how many entries were taken.
  /// @pre r.low is not null; out is r.low, or does not overlap anything
  std::int64_t (*take)(const Residual& r, float* out, std::uint32_t key, std::int64_t& ties);
};

const SelectKernels& select_portable();
#if defined(__x86_64__)
const SelectKernels& select_avx2();
const SelectKernels& select_avx512();
#endif

/// The variants that this CPU has, the fastest first, ended by nullptr; the last one is "portable".
[[nodiscard]] const SelectKernels* const* select_variants();

}  // namespace koine::sparse
