#include "pipeline/status.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "core/file.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/run_folder.hpp"
#include "pipeline/sweep_folder.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
using State = RunStatus::State;
constexpr std::int64_t kLargest = std::int64_t{1} << 32;
constexpr std::int64_t kFresh = 10;  ///< seconds: a beat as old is no sign of death yet
constexpr std::chrono::milliseconds kPatience{2500}, kLook{100};

/// Whether this process of this machine is a koine that has not ended.
bool is_koine_here(std::int64_t process) {
  std::ifstream stat(fmt::format("/proc/{}/stat", process));  // "4711 (koine) S …"
  std::string number, name, state;
  return (stat >> number >> name >> state) && name == "(koine)" && state != "Z";
}

std::int64_t all_counts(const std::vector<Beat>& beats) {
  std::int64_t count = 0;
  for (const Beat& beat : beats) count += beat.count;
  return count;
}

/// The clocks of two machines may differ: what counts is that beats go on.
bool goes_on(const fs::path& folder, const std::vector<Beat>& before) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kLook);
    if (all_counts(read_beats(folder)) != all_counts(before)) return true;
  }
  return false;
}

/// Of an attempt that has left no word of its end.
State state_of_silence(const fs::path& folder, const RunStatus& status, const Attempt& attempt) {
  if (status.beats.empty()) return State::stopped;
  const bool is_here = attempt.host == attempt_of_this_process().host;
  if (is_here && !is_koine_here(attempt.process)) return State::stopped;
  if (status.silence <= kFresh) return State::running;
  if (goes_on(folder, status.beats)) return State::running;
  return is_here ? State::silent : State::stopped;
}

State state_of(const fs::path& folder, const RunStatus& status) {
  if (!status.is_sweep && store::has_manifest(folder)) return State::complete;
  if (!status.attempt) return State::waiting;
  if (!status.ending) return state_of_silence(folder, status, *status.attempt);
  if (status.ending->code == static_cast<int>(ExitCode::done)) return State::complete;
  const bool is_stopped = status.ending->code == static_cast<int>(ExitCode::interrupted);
  return is_stopped ? State::stopped : State::failed;
}

std::int64_t factors_in(const fs::path& cache) {
  std::int64_t count = 0;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(cache, none))
    count += entry.path().extension() == ".factors" ? 1 : 0;
  return count;
}

void count_shards(const fs::path& folder, RunStatus& status) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder / ".koine" / "journal", none))
    status.done += entry.path().extension() == ".json" ? 1 : 0;
  status.steps = status.done + factors_in(KeptFactors::folder_in(folder));
}

void count_results(const fs::path& results, std::set<std::string>& counted, RunStatus& status) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(results, none)) {
    const std::string id = entry.path().stem();
    if (entry.path().extension() != ".json" || !counted.insert(id).second) continue;
    const Json result = Json::parse(read_text_file(entry.path(), kLargest), nullptr, false);
    status.steps += 1 + (result.is_object() && result.contains("evaluation") ? 1 : 0);
    const bool is_point =
        id.find_first_of("@-") == std::string::npos;  // else a round's, a baseline
    if (!is_point) continue;
    if (status_of(result) != "pending") ++status.done;
    if (has_failed(result)) ++status.unsuccessful;
    if (status_of(result) == "done") ++status.evaluated;
  }
}

/// Of the sweep, and of its parts that no gathering has taken over yet.
void count_points(const fs::path& folder, RunStatus& status) {
  std::set<std::string> counted;
  std::error_code none;
  for (const auto& part : fs::directory_iterator(folder / ".koine" / "parts", none))
    count_results(part.path() / ".koine" / "results", counted, status);
  count_results(folder / ".koine" / "results", counted, status);
}

}  // namespace

std::int64_t RunStatus::bytes() const {
  std::int64_t sum = 0;
  for (const Beat& beat : beats) sum += beat.bytes;
  return sum;
}

std::int64_t RunStatus::matrices() const {
  std::int64_t sum = 0;
  for (const Beat& beat : beats) sum += beat.matrices;
  return sum;
}

double RunStatus::seconds() const {
  if (!attempt || beats.empty()) return 0;
  const auto last = std::ranges::max_element(beats, {}, &Beat::time)->time;
  return static_cast<double>(std::max<std::int64_t>(0, last - attempt->started));
}

ExitCode RunStatus::code() const {
  if (state == State::complete) return ExitCode::done;
  if (state == State::failed && ending) return static_cast<ExitCode>(ending->code);
  return ExitCode::interrupted;
}

RunStatus read_status(const fs::path& folder) {
  std::error_code none;
  RunStatus status;
  status.is_sweep = fs::exists(folder / ".koine" / "points.json", none);
  if (!fs::exists(folder / ".koine", none) && !store::has_manifest(folder)) {
    throw InputError(
        fmt::format("{}: no run or sweep lies here: it has neither .koine nor "
                    "manifest.json; name the folder that --output named",
                    folder.string()));
  }
  status.attempt = read_attempt(folder);
  status.beats = read_beats(folder);
  const auto endings = read_endings(folder);
  if (!endings.empty()) status.ending = endings.front();
  if (status.attempt) status.total = status.attempt->units;
  if (!status.beats.empty()) {
    const auto last = std::ranges::max_element(status.beats, {}, &Beat::time)->time;
    status.silence = std::max<std::int64_t>(0, std::time(nullptr) - last);
  }
  if (status.is_sweep)
    count_points(folder, status);
  else
    count_shards(folder, status);
  if (status.attempt && !status.attempt->cache.empty())
    status.steps += factors_in(status.attempt->cache);
  status.state = state_of(folder, status);
  const fs::path fresh = folder.string() + kFreshSuffix;
  if (fs::exists(fresh / ".koine", none)) status.grows_in = fresh;
  return status;
}

}  // namespace koine::pipeline
