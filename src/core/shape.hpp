#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace koine {

using Shape = std::vector<std::int64_t>;

/// Product of the extents (1 for a scalar). @pre checked before by checked_numel
[[nodiscard]] std::int64_t numel(const Shape& shape) noexcept;

/// As numel, or nothing where an extent is negative or the product exceeds 2^62.
[[nodiscard]] std::optional<std::int64_t> checked_numel(const Shape& shape) noexcept;

[[nodiscard]] std::string to_string(const Shape& shape);  ///< "[1280, 5120]"

/// Whether tau [rows, cols] is factorised as A = tau^T, [short, long]; else A = tau. A square one
/// is: the columns of A, which are read one after another, are then rows of tau.
[[nodiscard]] constexpr bool is_transposed(std::int64_t rows, std::int64_t cols) noexcept {
  return rows >= cols;
}

/// A row-major float32 matrix that somebody else owns.
struct MatrixView {
  const float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  [[nodiscard]] std::int64_t size() const noexcept { return rows * cols; }
  [[nodiscard]] std::span<const float> flat() const noexcept {
    return {data, static_cast<std::size_t>(size())};
  }
};

}  // namespace koine
