#include "pipeline/run_log.hpp"

#include <chrono>
#include <fstream>

#include <fmt/chrono.h>

namespace koine::pipeline {

void log_line(const std::filesystem::path& run, const std::string& text) {
  const auto now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  std::ofstream log(run / "run.log", std::ios::app);
  log << fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(now), text);
}

}  // namespace koine::pipeline
