#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"

namespace koine::pipeline {

enum class Comparison : std::uint8_t { equal, differs, shape_differs, only_in_a, only_in_b };

/// One tensor of either checkpoint. Values are compared as float64: other dtypes of equal values
/// are equal; two NaN are equal, a NaN and a number differ by infinity.
struct TensorDiff {
  std::string canonical;
  Comparison comparison = Comparison::equal;
  std::optional<DType> dtype_a, dtype_b;
  Shape shape_a, shape_b;
  double largest = 0;       ///< max |a - b|
  std::int64_t at = 0;      ///< row-major index of its first place
  std::int64_t beyond = 0;  ///< elements with |a - b| > tolerance
};

struct DiffReport {
  std::vector<TensorDiff> tensors;  ///< by canonical name
  std::vector<std::string> notes;
  [[nodiscard]] std::int64_t count(Comparison comparison) const noexcept;
  [[nodiscard]] bool is_equal() const noexcept;
  [[nodiscard]] const TensorDiff* largest()
      const noexcept;  ///< of the compared tensors; null if there are none
};

struct DiffOptions {
  double tolerance = 0;  ///< absolute
  int threads = 1;
};

/// Compares tensor by tensor through canonical names, so that formats, namings and dtypes may
/// differ. A tied output (proj_out.weight) that one side leaves out is compared with that side's
/// token embedding. Streams: memory is a few MiB a thread. Local. @throws InputError, StorageError,
/// Interrupted
[[nodiscard]] DiffReport diff(const checkpoint::Checkpoint& a, const checkpoint::Checkpoint& b,
                              const DiffOptions& options);

/// "[12, 40]": the place of a row-major index.
[[nodiscard]] std::string place_in(const Shape& shape, std::int64_t index);

/// Lines for people: what differs (at most `most` tensors), then a summary as the last line.
[[nodiscard]] std::string diff_text(const DiffReport& report, std::size_t most);
[[nodiscard]] std::string diff_json(const DiffReport& report, const DiffOptions& options);

}  // namespace koine::pipeline
