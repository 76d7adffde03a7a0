#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace koine::lowrank {

/// Allocates on cache lines: a BLAS kernel may sum in another order where its operand starts
/// elsewhere.
template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};

  CacheLineAllocator() = default;
  template <typename Other>
  explicit CacheLineAllocator(const CacheLineAllocator<Other>& /*other*/) noexcept {}
  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), kLine));
  }
  void deallocate(T* data, std::size_t /*count*/) noexcept { ::operator delete(data, kLine); }
  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) noexcept {
    return true;
  }
};

/// Grows to the largest size asked for and keeps it; its contents are whatever was written last.
template <typename T>
class Scratch {
 public:
  /// At least `count` elements. Owned here; valid until a larger call.
  T* reserve(std::size_t count) {
    if (store_.size() < count) store_.resize(count);
    return store_.data();
  }
  [[nodiscard]] T* data() noexcept { return store_.data(); }
  [[nodiscard]] const T* data() const noexcept { return store_.data(); }

 private:
  std::vector<T, CacheLineAllocator<T>> store_;
};

}  // namespace koine::lowrank
