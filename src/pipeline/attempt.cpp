#include "pipeline/attempt.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/host.hpp"
#include "core/json.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kLargest = std::int64_t{1} << 20;
constexpr const char* kAttempt = "attempt.json";
constexpr const char* kBeat = "beat.";
constexpr const char* kEnding = "ending.";

void write(const fs::path& work, const std::string& name, const Json& json) {
  try {
    // A message may quote what is no UTF-8.
    replace_file(work / ".koine" / name,
                 json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  } catch (const Error&) {
    // a disk that is full or gone: as the header says
  }
}

/// Calls `take` with what a file of .koine holds; one that cannot be read counts as absent.
void read(const fs::path& file, const std::function<void(const Json&)>& take) {
  try {
    take(Json::parse(read_text_file(file, kLargest)));
  } catch (const Error&) {
  } catch (const nlohmann::json::exception&) {
  }
}

/// Every file of .koine whose name begins so.
void read_each(const fs::path& work, const std::string& prefix,
               const std::function<void(const Json&)>& take) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(work / ".koine", none)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix) && !is_temporary(entry.path())) read(entry.path(), take);
  }
}

}  // namespace

Attempt attempt_of_this_process() {
  Attempt attempt;
  attempt.host = host_name();
  attempt.process = ::getpid();
  const char* array = std::getenv("SLURM_ARRAY_JOB_ID");
  const char* task = std::getenv("SLURM_ARRAY_TASK_ID");
  const char* job = std::getenv("SLURM_JOB_ID");
  if (array != nullptr && task != nullptr)
    attempt.job = fmt::format("{}_{}", array, task);
  else if (job != nullptr)
    attempt.job = job;
  return attempt;
}

void forget_attempt(const fs::path& work) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(work / ".koine", none)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kBeat) || name.starts_with(kEnding)) fs::remove(entry.path(), none);
  }
}

void note_attempt(const fs::path& work, const Attempt& a) {
  write(work, kAttempt,
        {{"schema", "koine-attempt-1"},
         {"host", a.host},
         {"process", a.process},
         {"job", a.job},
         {"command", a.command},
         {"folder", a.folder},
         {"cache", a.cache},
         {"started", a.started},
         {"processes", a.processes},
         {"threads", a.threads},
         {"bytes", a.bytes},
         {"matrices", a.matrices},
         {"units", a.units}});
}

void note_beat(const fs::path& work, const Beat& b) {
  write(work, kBeat + std::to_string(b.rank),
        {{"rank", b.rank},
         {"host", b.host},
         {"process", b.process},
         {"count", b.count},
         {"time", b.time},
         {"bytes", b.bytes},
         {"tensors", b.tensors},
         {"matrices", b.matrices}});
}

void note_ending(const fs::path& work, const Ending& e) {
  write(work, kEnding + std::to_string(e.rank),
        {{"rank", e.rank}, {"time", e.time}, {"code", e.code}, {"message", e.message}});
}

std::optional<Attempt> read_attempt(const fs::path& work) {
  std::optional<Attempt> attempt;
  read(work / ".koine" / kAttempt, [&attempt](const Json& json) {
    attempt =
        Attempt{json.at("host"),    json.at("process"), json.at("job"),      json.at("command"),
                json.at("folder"),  json.at("cache"),   json.at("started"),  json.at("processes"),
                json.at("threads"), json.at("bytes"),   json.at("matrices"), json.at("units")};
  });
  return attempt;
}

std::vector<Beat> read_beats(const fs::path& work) {
  std::vector<Beat> beats;
  read_each(work, kBeat, [&beats](const Json& json) {
    beats.push_back({json.at("rank"), json.at("host"), json.at("process"), json.at("count"),
                     json.at("time"), json.at("bytes"), json.at("tensors"), json.at("matrices")});
  });
  std::ranges::sort(beats, {}, &Beat::rank);
  return beats;
}

std::vector<Ending> read_endings(const fs::path& work) {
  std::vector<Ending> endings;
  read_each(work, kEnding, [&endings](const Json& json) {
    endings.push_back({json.at("rank"), json.at("time"), json.at("code"), json.at("message")});
  });
  constexpr int kStopped = static_cast<int>(ExitCode::interrupted);
  std::ranges::sort(endings, {}, [](const Ending& ending) {
    return std::pair(ending.code == kStopped, ending.time);
  });
  return endings;
}

std::string who(const Attempt& attempt) {
  return fmt::format("host {}, process {}{}", attempt.host, attempt.process,
                     attempt.job.empty() ? "" : ", job " + attempt.job);
}

}  // namespace koine::pipeline
