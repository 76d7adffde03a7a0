#pragma once

#include <optional>

namespace koine::pipeline {

/// Golden-section search (Kiefer 1953) for the lowest value of a function with one valley in [low,
/// high]: every point but the first two costs one evaluation and narrows the interval to 0.618 of
/// it.
class GoldenSection {
 public:
  GoldenSection(double low, double high);

  /// Where to look next.
  [[nodiscard]] double next() const noexcept;
  /// What was found there; nothing where it has no value: it then counts as the highest.
  void tell(std::optional<double> value);

 private:
  struct Probe {
    double at = 0;
    std::optional<double> value;
    bool is_known = false;
  };
  double low_, high_;
  Probe left_, right_;
};

}  // namespace koine::pipeline
