#include "bench/lab.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "bench/machine_rates.hpp"

namespace koine::bench {
namespace {

constexpr double kMiB = 1 << 20;

Work times(const Work& each, int threads) {
  return {each.flops * threads, each.flops32 * threads, each.bytes * threads,
          each.elements * threads};
}

}  // namespace

Timing Lab::timing(int threads) const {
  return {threads, options_.repeats, options_.is_quick ? 0.0005 : 0.01};
}

const Matrices& Lab::matrices(const Shape& shape, int threads) {
  if (matrices_.shape != shape || matrices_.taus.size() != static_cast<std::size_t>(threads)) {
    matrices_ = {};  // the old ones' memory first
    matrices_ = make_matrices(shape, threads);
  }
  return matrices_;
}

Rate Lab::rate_of(const std::string& name, const Shape& shape, int threads,
                  const std::function<Figure()>& measure_it) {
  const std::string key = fmt::format("{} {} {}", name, to_string(shape), threads);
  if (const auto known = rates_.find(key); known != rates_.end()) return known->second;
  Figure figure = measure_it();
  figure.bench = name;
  figure.shape = shape;
  const double amount = figure.work.all_flops() > 0 ? figure.work.all_flops() : figure.work.bytes;
  figure.work = times(figure.work, threads);
  emit_(figure);
  return rates_[key] = {amount * threads / figure.seconds.median, amount / figure.seconds.cpu};
}

Rate Lab::dgemm_rate(int threads) {
  const std::int64_t order = options_.is_quick ? 192 : 1024;
  return rate_of("dgemm", {order, order, order}, threads,
                 [&] { return measure_dgemm(order, timing(threads)); });
}

Rate Lab::sgemm_rate(int threads) {
  const std::int64_t order = options_.is_quick ? 192 : 1024;
  return rate_of("sgemm", {order, order, order}, threads,
                 [&] { return measure_sgemm(order, timing(threads)); });
}

Rate Lab::page_cache_rate(int threads) {
  const std::int64_t bytes = static_cast<std::int64_t>(kMiB) * (options_.is_quick ? 4 : 128);
  return rate_of("page_cache_read", {bytes}, threads, [&] {
    return measure_page_cache_read({options_.folder, bytes}, timing(threads));
  });
}

Rate Lab::write_rate(int threads) {
  const std::int64_t bytes = static_cast<std::int64_t>(kMiB) * (options_.is_quick ? 1 : 64);
  return rate_of("write_fsync", {bytes}, threads, [&] {
    return measure_write_fsync({options_.folder, bytes}, timing(threads));
  });
}

Rate Lab::copy_rate(double bytes, int threads) {
  const double most = kMiB * (options_.is_quick ? 4 : 64);
  const auto half = static_cast<std::uint64_t>(std::clamp(bytes / 2, 65536.0, most));
  const auto size = static_cast<std::int64_t>(std::bit_ceil(half));
  return rate_of("copy", {size}, threads, [&] { return measure_copy(size, timing(threads)); });
}

Bound Lab::compute_bound(const Work& each, int threads) {
  Bound bound;
  const auto add = [&](const char* name, double flops, const Rate& rate) {
    bound.name += bound.name.empty() ? name : std::string("+") + name;
    bound.seconds += flops * threads / rate.per_second;
    bound.cpu_seconds += flops / rate.per_cpu_second;
  };
  if (each.flops > 0) add("dgemm", each.flops, dgemm_rate(threads));
  if (each.flops32 > 0) add("sgemm", each.flops32, sgemm_rate(threads));
  if (bound.seconds > 0) bound.flops_per_s = each.all_flops() * threads / bound.seconds;
  return bound;
}

Bound Lab::roofline(const Work& each, int threads) {
  Bound by_bytes;
  const Bound by_flops = compute_bound(each, threads);
  if (each.bytes > 0) {
    const Rate rate = copy_rate(each.bytes, threads);
    by_bytes = {"copy", 0, rate.per_second, each.bytes * threads / rate.per_second,
                each.bytes / rate.per_cpu_second};
  }
  return by_flops.seconds > by_bytes.seconds ? by_flops : by_bytes;
}

void Lab::report(const Label& label, const Sample& sample, const Work& each, bool is_checked) {
  const Bound bound = roofline(each, label.threads);
  emit_({label.bench, label.dtype, label.shape, label.threads,
         static_cast<int>(sample.seconds.size()), spread_of(sample), times(each, label.threads),
         bound, is_checked, std::nullopt});
}

void Lab::report(const Figure& figure) {
  emit_(figure);
}

}  // namespace koine::bench
