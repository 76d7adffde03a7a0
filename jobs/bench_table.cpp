#include "bench_table.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace koine::jobs {
namespace {

constexpr const char* kRow = "{:<17} {:<8}  {:>15}  {:>7}  {:>9} {:>9}  {:>14}  {:<20} {:>7}  {}";

/// Three significant digits where there is a fraction to show.
std::string three_digits(double value) {
  const int before = value >= 100 ? 3 : value >= 10 ? 2 : 1;
  return fmt::format("{:.{}f}", value, 3 - before);
}

/// The rate that the bound limits; else the one that there is.
std::string rate_of(const bench::Figure& figure) {
  const double seconds = figure.seconds.median;
  if (!(seconds > 0)) return "";
  const bool is_flops = figure.bound ? figure.bound->flops_per_s > 0 : figure.work.all_flops() > 0;
  if (is_flops) return short_rate(figure.work.all_flops() / seconds, "flop/s");
  if (figure.work.bytes > 0) return short_rate(figure.work.bytes / seconds, "B/s");
  return "";
}

std::string percent(double ratio) {
  return fmt::format("{:.{}f} %", 100 * ratio, ratio < 0.0995 ? 1 : 0);
}

std::string against(const bench::Figure& figure) {
  const auto ratio = figure.ratio_to_bound();
  if (!ratio || !figure.bound) return "";
  return fmt::format("{} of {}", percent(*ratio), figure.bound->name);
}

std::string by_cpu(const bench::Figure& figure) {
  const auto ratio = figure.ratio_to_bound_by_cpu();
  return ratio ? percent(*ratio) : "";
}

std::string short_dtype(const std::string& dtype) {
  return dtype == "bfloat16" ? "bf16" : dtype.starts_with("float") ? "fp" + dtype.substr(5) : dtype;
}

std::string what_of(const bench::Figure& figure) {
  if (figure.merge) return fmt::format("{} x {}", figure.merge->model, figure.merge->experts);
  return fmt::format("{}", fmt::join(figure.shape, "x"));
}

}  // namespace

std::string short_time(double seconds) {
  if (seconds >= 0.9995) return three_digits(seconds) + " s";
  if (seconds >= 0.9995e-3) return three_digits(1e3 * seconds) + " ms";
  return three_digits(1e6 * seconds) + " us";
}

std::string short_rate(double per_second, const std::string& unit) {
  constexpr std::array<const char*, 5> kPrefixes{"", "k", "M", "G", "T"};
  std::size_t prefix = 0;
  for (; per_second >= 999.5 && prefix + 1 < kPrefixes.size(); ++prefix) per_second /= 1000;
  return fmt::format("{} {}{}", three_digits(per_second), kPrefixes[prefix], unit);
}

std::string bench_heading() {
  return fmt::format(fmt::runtime(kRow), "bench", "dtype", "shape", "threads", "median", "90 %",
                     "rate", "of the bound", "by CPU", "checked");
}

std::string bench_row(const bench::Figure& figure) {
  std::string row = fmt::format(fmt::runtime(kRow), figure.bench, short_dtype(figure.dtype),
                                what_of(figure), figure.threads, short_time(figure.seconds.median),
                                short_time(figure.seconds.p90), rate_of(figure), against(figure),
                                by_cpu(figure), figure.is_checked ? "yes" : "NO: wrong result");
  if (figure.merge && figure.merge->peak_memory > 0)
    row += fmt::format(", peak {:.0f} MB", 1e-6 * static_cast<double>(figure.merge->peak_memory));
  return row;
}

}  // namespace koine::jobs
