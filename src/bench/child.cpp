#include "bench/child.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/process_group.hpp"
#include "core/stop.hpp"

namespace koine::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kGrace{60};  // a merge that is told to stop finishes its shard

/// The child is no process of the job that this one may be in.
std::vector<std::string> environment_outside_jobs() {
  std::vector<std::string> environment = environment_of_children();
  std::erase_if(environment, [](const auto& entry) { return entry.starts_with("SLURM_"); });
  return environment;
}

/// Runs a program to its end. @return its exit code
int run_to_the_end(const Program& program) {
  try {
    ProcessGroup group(program);
    const auto code = group.wait(0);
    return code ? *code : group.end(kGrace);
  } catch (const std::system_error& error) {
    throw Error(ExitCode::our_fault, fmt::format("starting {} failed: {}", program.arguments[0],
                                                 error.code().message()));
  }
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& command,
                      const std::filesystem::path& folder) {
  constexpr std::int64_t kMostText = std::int64_t{1} << 24;
  throw_if_stopped();
  const File output = File::create(folder / "child.out"),
             errors = File::create(folder / "child.err");
  const auto begin = Clock::now();
  const int code = run_to_the_end({.arguments = command,
                                   .environment = environment_outside_jobs(),
                                   .output = output.descriptor(),
                                   .errors = errors.descriptor()});
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  throw_if_stopped();
  if (code != 0) {
    const bool is_known = code == static_cast<int>(ExitCode::storage);
    throw Error(is_known ? ExitCode::storage : ExitCode::our_fault,
                fmt::format("`{}` failed: {}", fmt::join(command, " "),
                            last_line(read_text_file(folder / "child.err", kMostText))));
  }
  return {seconds, read_text_file(folder / "child.out", kMostText)};
}

}  // namespace koine::bench
