#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/rules.hpp"

/// The integers that selection compares, made a block at a time. Inside sparse/ only.
namespace koine::sparse {

inline constexpr std::size_t kBlock = 1024;  // keys made at a time; they stay in the first cache

using Keys = std::array<std::uint32_t, kBlock>;

/// Keys of elements [first, first + count) of tau - low (of tau where low is empty).
inline void make_keys(std::span<const float> tau, std::span<const float> low, std::size_t first,
                      std::size_t count, Keys& keys) {
  const float* t = tau.data() + first;
  if (low.empty()) {
    for (std::size_t i = 0; i < count; ++i) keys[i] = rules::magnitude_key(t[i]);
    return;
  }
  const float* l = low.data() + first;
  for (std::size_t i = 0; i < count; ++i) keys[i] = rules::magnitude_key(t[i] - l[i]);
}

}  // namespace koine::sparse
