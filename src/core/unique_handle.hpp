#pragma once

#include <utility>

namespace koine {

/// Owns one C handle. Traits: Raw, null(), destroy(Raw) noexcept. Moves swap, so nothing is
/// overwritten unfreed.
template <typename Traits>
class UniqueHandle {
 public:
  using Raw = typename Traits::Raw;
  UniqueHandle() noexcept = default;
  explicit UniqueHandle(Raw raw) noexcept : raw_(raw) {}
  UniqueHandle(UniqueHandle&& other) noexcept : raw_(std::exchange(other.raw_, Traits::null())) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  UniqueHandle(const UniqueHandle&) = delete;
  UniqueHandle& operator=(const UniqueHandle&) = delete;
  ~UniqueHandle() {
    if (raw_ != Traits::null()) Traits::destroy(raw_);
  }
  [[nodiscard]] Raw get() const noexcept { return raw_; }

 private:
  Raw raw_ = Traits::null();
};

}  // namespace koine
