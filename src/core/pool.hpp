#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

namespace koine {

/// Memory of one pool. From 2 MiB on it begins on a huge page and asks the system for huge pages
/// (whole ones only: no byte more becomes resident than was asked for); below, on a cache line.
/// Never cleared.
/// @throws std::bad_alloc
[[nodiscard]] std::byte* allocate_pool(std::size_t bytes);
void free_pool(std::byte* memory, std::size_t bytes) noexcept;

/// A buffer of the largest size asked for so far: taken once, touched once, used again. Taking does
/// not clear and a larger taking does not keep what was there. T must be trivial. Move-only.
template <typename T>
class Pool {
  static_assert(std::is_trivial_v<T>);

 public:
  /// `count` elements from the start, their values unspecified. Owned here, valid until a larger
  /// call. Cost: nothing, or one allocation. @throws std::bad_alloc
  [[nodiscard]] std::span<T> take(std::int64_t count) {
    const auto wanted = static_cast<std::size_t>(count);
    if (wanted > memory_.get_deleter().bytes / sizeof(T)) {
      memory_.reset();  // first: never two at once
      memory_ = Memory(allocate_pool(wanted * sizeof(T)), Free{wanted * sizeof(T)});
    }
    return {data(), wanted};
  }
  [[nodiscard]] T* data() noexcept { return reinterpret_cast<T*>(memory_.get()); }

 private:
  struct Free {
    std::size_t bytes = 0;
    void operator()(std::byte* memory) const noexcept { free_pool(memory, bytes); }
  };
  using Memory = std::unique_ptr<std::byte, Free>;
  Memory memory_;
};

}  // namespace koine
