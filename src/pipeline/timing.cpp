#include <fstream>

#include <sys/resource.h>

#include "core/file.hpp"
#include "core/json.hpp"
#include "pipeline/finish.hpp"

namespace koine::pipeline {
namespace {

/// Largest resident set of this program. Not getrusage's figure: that one goes back to before exec,
/// to whatever launched us.
std::int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

double seconds_of(const std::atomic<std::int64_t>& nanoseconds) {
  return 1e-9 * static_cast<double>(nanoseconds.load());
}

Json lane_seconds(const Progress& progress) {
  Json lanes{{"in use", seconds_of(progress.lane_nanoseconds)}};
  for (std::size_t i = 0; i < kResourceNames.size(); ++i)
    lanes[std::string(kResourceNames[i])] = seconds_of(progress.busy_nanoseconds[i]);
  return lanes;
}

Json kernel_seconds(const Progress& progress) {
  Json kernels = Json::object();
  for (std::size_t i = 0; i < kKernelNames.size(); ++i)
    kernels[std::string(kKernelNames[i])] = seconds_of(progress.kernel_nanoseconds[i]);
  return kernels;
}

}  // namespace

std::string timing_of(int rank, const Progress& progress, const IoCount& io) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  Json stages = Json::object();
  for (std::size_t i = 0; i < kStageNames.size(); ++i)
    stages[std::string(kStageNames[i])] = seconds_of(progress.nanoseconds[i]);
  Json row{{"rank", rank},
           {"bytes_read", io.read},
           {"bytes_written", io.written},
           {"tensors", progress.tensors.load()},
           {"matrices_factorised", progress.matrices.load()},
           {"matrices_found", progress.matrices_found.load()},
           {"cpu_seconds", seconds(usage.ru_utime) + seconds(usage.ru_stime)},
           {"stage_seconds", stages},
           {"peak_memory_bytes", peak_memory()}};
  if (progress.lane_nanoseconds > 0) {
    row["gpu_lane_seconds"] = lane_seconds(progress);
    row["gpu_kernel_seconds"] = kernel_seconds(progress);
  }
  return row.dump();
}

void write_timing(const std::filesystem::path& run, const std::vector<std::string>& ranks,
                  double seconds) {
  Json rows = Json::array();
  for (const std::string& text : ranks) rows.push_back(Json::parse(text));
  write_file_atomically(run / "timing.json", to_text(Json{{"seconds", seconds}, {"ranks", rows}}));
}

}  // namespace koine::pipeline
