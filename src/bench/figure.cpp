#include "bench/figure.hpp"

#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "core/json.hpp"

namespace koine::bench {
namespace {

/// Six significant digits: no clock here knows more.
double rounded(double value) {
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

Json number_or_null(double value) {
  return value > 0 ? Json(rounded(value)) : Json(nullptr);
}

Json whole_or_null(double value) {
  return value > 0 ? Json(static_cast<std::int64_t>(value)) : Json(nullptr);
}

/// Runnable tasks of the whole machine over the last minute: who else was working.
Json load() {
  double one_minute = 0;
  return ::getloadavg(&one_minute, 1) == 1 ? Json(rounded(one_minute)) : Json(nullptr);
}

void add_work(const Figure& figure, Json& line) {
  const Work& work = figure.work;
  const double seconds = figure.seconds.median;
  const auto rate = [seconds](double amount) {
    return number_or_null(seconds > 0 ? amount / seconds : 0);
  };
  line["flops"] = whole_or_null(work.all_flops());
  line["bytes"] = whole_or_null(work.bytes);
  line["elements"] = whole_or_null(work.elements);
  line["flops_per_s"] = rate(work.all_flops());
  line["bytes_per_s"] = rate(work.bytes);
  line["elements_per_s"] = rate(work.elements);
}

void add_bound(const Figure& figure, Json& line) {
  const Bound bound = figure.bound.value_or(Bound{});
  line["bound"] = figure.bound ? Json(bound.name) : Json(nullptr);
  line["bound_flops_per_s"] = number_or_null(bound.flops_per_s);
  line["bound_bytes_per_s"] = number_or_null(bound.bytes_per_s);
  line["bound_s"] = number_or_null(bound.seconds);
  line["bound_cpu_s"] = number_or_null(bound.cpu_seconds);
  line["ratio_to_bound"] = number_or_null(figure.ratio_to_bound().value_or(0));
  line["ratio_to_bound_by_cpu"] = number_or_null(figure.ratio_to_bound_by_cpu().value_or(0));
}

void add_merge(const Figure& figure, Json& line) {
  const bool is_merge = figure.merge.has_value();
  line["model"] = is_merge ? Json(figure.merge->model) : Json(nullptr);
  line["experts"] = is_merge ? Json(figure.merge->experts) : Json(nullptr);
  line["peak_memory_bytes"] =
      is_merge && figure.merge->peak_memory > 0 ? Json(figure.merge->peak_memory) : Json(nullptr);
}

}  // namespace

std::optional<double> Figure::ratio_to_bound() const noexcept {
  if (!bound || !(bound->seconds > 0) || !(seconds.median > 0)) return std::nullopt;
  return bound->seconds / seconds.median;
}

std::optional<double> Figure::ratio_to_bound_by_cpu() const noexcept {
  if (!bound || !(bound->cpu_seconds > 0) || !(seconds.cpu > 0)) return std::nullopt;
  return bound->cpu_seconds / seconds.cpu;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string to_json_line(const Figure& figure, const Machine& machine) {
  Json line{{"schema", "koine-bench-1"},
            {"bench", figure.bench},
            {"dtype", figure.dtype.empty() ? Json(nullptr) : Json(figure.dtype)},
            {"shape", figure.shape},
            {"threads", figure.threads},
            {"repeats", figure.repeats},
            {"median_s", rounded(figure.seconds.median)},
            {"p90_s", rounded(figure.seconds.p90)},
            {"cpu_s", number_or_null(figure.seconds.cpu)}};
  add_work(figure, line);
  add_bound(figure, line);
  add_merge(figure, line);
  line["checked"] = figure.is_checked;
  line["version"] = machine.version;
  line["commit"] = machine.commit;
  line["cpu"] = machine.cpu;
  line["cores"] = machine.cores;
  line["load"] = load();
  line["blas"] = machine.blas;
  line["gpu"] = nullptr;
  return line.dump();
}

}  // namespace koine::bench
