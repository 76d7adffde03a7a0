#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace koine::pipeline {

/// Elements worked on at once. Part of the format: sums of figures are cut here, whatever the
/// memory or the threads.
inline constexpr std::int64_t kBlock = std::int64_t{1} << 17;

template <typename T>
std::span<T> slice(std::span<T> all, std::int64_t first, std::int64_t count) {
  return all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

/// Calls use(first, count) for the blocks of [0, total).
template <typename Use>
void for_blocks(std::int64_t total, Use use) {
  for (std::int64_t first = 0; first < total; first += kBlock)
    use(first, std::min(kBlock, total - first));
}

}  // namespace koine::pipeline
