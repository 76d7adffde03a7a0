#pragma once

#include <string>

#include "bench/figure.hpp"

namespace koine::jobs {

/// The heading of the table and its rows, for a person: one figure a row, columns aligned.
[[nodiscard]] std::string bench_heading();
[[nodiscard]] std::string bench_row(const bench::Figure& figure);

/// "12.3 ms", "1.24 s", "850 us": three digits.
[[nodiscard]] std::string short_time(double seconds);

/// "45.1 Gflop/s", "8.20 GB/s": three digits.
[[nodiscard]] std::string short_rate(double per_second, const std::string& unit);

}  // namespace koine::jobs
