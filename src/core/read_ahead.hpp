#pragma once

namespace koine {

/// Asks the caches for what lies a page further than `at`: the CPU's own reading ahead stays within
/// a page. Any address will do. No code of its own, so that files built with wider instructions may
/// use it.
template <typename T>
[[gnu::always_inline]] static inline void read_ahead(const T* at) {
  constexpr long kPage = 4096;
  __builtin_prefetch(reinterpret_cast<const char*>(at) + kPage);
}

}  // namespace koine
