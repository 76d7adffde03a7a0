#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/dtype.hpp"
#include "core/lanes.hpp"

/// Loops of rules.hpp over raw tensor bytes, on the CPU. All spans of one call have one length;
/// none overlap.
namespace koine::backend {

/// Elements as a checkpoint stores them.
struct RawSpan {
  DType dtype = DType::f32;
  std::span<const std::byte> bytes;
};

/// out_i = float32(raw_i).  @pre raw.dtype is a float type
void widen(RawSpan raw, std::span<float> out);

/// sum_of_squares of numbers that come piece by piece.
class SquareSum {
 public:
  /// @pre every piece but the last has a multiple of kLanes numbers
  void add(std::span<const float> piece) noexcept;
  [[nodiscard]] double total() const noexcept { return koine::total(lanes_); }
  [[nodiscard]] Lanes& lanes() noexcept { return lanes_; }

 private:
  Lanes lanes_{};
};

/// What one pass over a task vector says of it.
struct TaskVectorFigures {
  double squared = 0;  ///< sum_i tau_i^2, in the order of core/lanes.hpp
  bool is_finite = true;
};

/// tau_i = float32(expert_i) - float32(base_i), one rounding.  `base` is widened already.
TaskVectorFigures task_vector(RawSpan expert, std::span<const float> base, std::span<float> tau);

/// The same of the next piece of a task vector: adds to `squares`. Returns whether it is finite.
bool next_task_vector(RawSpan expert, std::span<const float> base, std::span<float> tau,
                      SquareSum& squares);

/// sum_i += weight * double(m_i), product and sum rounded separately; seen_i with the sign of m_i
/// (rules::see_sign). Returns sum_i m_i^2, in the order of core/lanes.hpp.
[[nodiscard]] double take_part(double weight, std::span<const float> m, std::span<double> sum,
                               std::span<std::uint8_t> seen);

/// The same of the next piece of a part: adds to `squares`.
void take_next_part(double weight, std::span<const float> m, std::span<double> sum,
                    std::span<std::uint8_t> seen, SquareSum& squares);

/// As take_part, without the sum.
[[nodiscard]] double note_part(std::span<const float> m, std::span<std::uint8_t> seen);

/// sum_i x_i^2, in the order of core/lanes.hpp.
[[nodiscard]] double sum_of_squares(std::span<const float> values) noexcept;

/// Of a block of the result before it is added to the base, in the order of core/lanes.hpp.
struct DeltaSums {
  double base_dot_delta = 0;  ///< sum_i base_i * delta_i
  double delta_squared = 0;   ///< sum_i delta_i^2
};
[[nodiscard]] DeltaSums delta_sums(std::span<const float> base, std::span<const double> delta);

/// delta_sums of a block that comes piece by piece.
class DeltaSum {
 public:
  /// @pre every piece but the last has a multiple of kLanes numbers
  void add(std::span<const float> base, std::span<const double> delta) noexcept;
  [[nodiscard]] DeltaSums totals() const noexcept {
    return {koine::total(dots_), koine::total(squares_)};
  }

 private:
  Lanes dots_{}, squares_{};
};

/// value_i = double(base_i) + lambda * sum_i, product and sum rounded separately; base as stored,
/// exact.
void add_to_base(RawSpan base, double lambda, std::span<double> sum_to_value);

/// Rounds once to `dtype`. Returns how many finite values became infinite.
std::int64_t round_to(DType dtype, std::span<const double> value, std::span<std::byte> out);

/// The first element that is not finite, if there is one.
[[nodiscard]] std::optional<std::int64_t> first_nonfinite(std::span<const float> values) noexcept;

}  // namespace koine::backend
