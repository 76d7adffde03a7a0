#include "pipeline/run_folder.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kLargestPlan = std::int64_t{64} << 20;

fs::path plan_path(const fs::path& run) {
  return run / ".koine" / "plan.json";
}
fs::path inputs_path(const fs::path& run) {
  return run / ".koine" / "inputs.json";
}

/// "parameters.rank: 7 there, 9 here" for every leaf that differs.
void list_differences(const Json& there, const Json& here, const std::string& at,
                      std::vector<std::string>& lines) {
  if (there == here) return;
  if (there.is_structured() && there.type() == here.type() &&
      (there.is_object() || there.size() == here.size())) {
    const Json a = there.flatten(), b = here.flatten();
    for (const auto& [key, value] : b.items()) {
      const std::string name = at + key;
      if (!a.contains(key))
        lines.push_back(fmt::format("{}: nothing there, {} here", name, value.dump()));
      else if (a[key] != value)
        lines.push_back(fmt::format("{}: {} there, {} here", name, a[key].dump(), value.dump()));
    }
    for (const auto& [key, value] : a.items()) {
      if (!b.contains(key))
        lines.push_back(fmt::format("{}: {} there, nothing here", at + key, value.dump()));
    }
    return;
  }
  lines.push_back(fmt::format("{}: {} there, {} here", at, there.dump(), here.dump()));
}

std::vector<std::string> differences(const Json& plan, const Identity& identity) {
  std::vector<std::string> lines;
  list_differences(plan.at("recipe"), Json::parse(identity.recipe), "recipe", lines);
  list_differences(plan.at("inputs"), Json::parse(identity.inputs), "inputs", lines);
  if (lines.size() > 8) {
    lines.resize(8);
    lines.emplace_back("…");
  }
  return lines;
}

bool is_empty_folder(const fs::path& folder) {
  return fs::is_directory(folder) && fs::is_empty(folder);
}

/// Whether an earlier merge lies here. @throws InputError for anything else that must not be
/// overwritten
bool holds_run(const fs::path& folder) {
  if (!fs::exists(fs::symlink_status(folder)) || is_empty_folder(folder)) return false;
  if (fs::is_directory(folder) && (fs::exists(plan_path(folder)) || store::has_manifest(folder)))
    return true;
  if (fs::is_directory(folder) && fs::exists(folder / ".koine"))
    return false;  // died before its plan was written
  throw InputError(
      fmt::format("{}: exists and is no Koine run; choose another --output", folder.string()));
}

RunLock take_lock(const fs::path& run) {
  const fs::path path = run / ".koine" / "lock";
  if (!fs::exists(path)) File::create(path).close();
  File file = File::open_update(path);
  if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      throw InputError(
          fmt::format("{}: another koine is working here; wait for it or choose another --output",
                      run.string()));
    }
    return RunLock();  // a file system without locks
  }
  return RunLock(std::move(file));
}

void require_space(const fs::path& run, std::int64_t bytes_out) {
  struct statvfs status {};
  if (::statvfs(run.c_str(), &status) != 0) return;
  const auto free = static_cast<std::int64_t>(status.f_bavail * status.f_frsize);
  std::int64_t there = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run / "shards", none))
    there += static_cast<std::int64_t>(entry.file_size());
  if (free + there >= bytes_out) return;
  throw StorageError(
      fmt::format("{}: {} to write, {} free; free some space and run the same command again",
                  run.string(), human_bytes(bytes_out - there), human_bytes(free)));
}

/// Files of a writer that died: "<name>.tmp.<pid>".
void remove_temporaries(const fs::path& run) {
  for (const fs::path& folder :
       {run, run / "shards", run / "files", run / ".koine", run / ".koine" / "journal"}) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      if (entry.path().filename().string().find(".tmp.") != std::string::npos)
        fs::remove(entry.path(), none);
    }
  }
}

Json stat_inputs(const Inputs& inputs) {
  Json rows = Json::array();
  const auto add = [&rows](const checkpoint::Checkpoint& header) {
    for (const auto& file : header.files) {
      struct stat s {};
      if (::stat(file.path.c_str(), &s) != 0) continue;
      rows.push_back(Json::array({file.path, s.st_size, s.st_ino, s.st_mtim.tv_sec,
                                  s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec}));
    }
  };
  add(inputs.base);
  for (const Expert& expert : inputs.experts) add(expert.header);
  return rows;
}

bool inputs_untouched(const fs::path& run, const Inputs& inputs) {
  if (!fs::exists(inputs_path(run))) return false;
  try {
    return Json::parse(read_text_file(inputs_path(run), kLargestPlan)) == stat_inputs(inputs);
  } catch (const std::exception&) {
    return false;
  }
}

void write_plan(const fs::path& run, const Identity& identity) {
  const Json plan{{"recipe", Json::parse(identity.recipe)},
                  {"inputs", Json::parse(identity.inputs)},
                  {"arithmetic", Json::parse(identity.arithmetic)}};
  write_file_atomically(plan_path(run), to_text(plan));
}

/// The earlier run's plan; from the manifest where .koine was cleaned away.
Json read_plan(const fs::path& run) {
  if (fs::exists(plan_path(run))) {
    return parse_strict_json(read_text_file(plan_path(run), kLargestPlan), plan_path(run).string());
  }
  const store::Manifest manifest = store::read_manifest(run);
  Json inputs = Json::parse(manifest.inputs);
  for (Json& model : inputs) model.erase("tensors");
  return {{"recipe", Json::parse(manifest.recipe)},
          {"inputs", inputs},
          {"arithmetic", Json::parse(manifest.arithmetic)}};
}

void compare_with_earlier(RunFolder& run, const Identity& identity) {
  const Json plan = read_plan(run.path);
  const auto lines = differences(plan, identity);
  if (!lines.empty()) {
    throw InputError(fmt::format(
        "{}: holds {} run of other settings ({}); choose another --output, or --fresh to replace "
        "it",
        run.target.string(), run.state == RunState::complete ? "a complete" : "an unfinished",
        fmt::join(lines, "; ")));
  }
  if (plan.at("arithmetic") != Json::parse(identity.arithmetic) &&
      run.state != RunState::complete) {
    run.notes.push_back(fmt::format(
        "this machine computes differently from where the run began ({}); unfinished shards are "
        "merged with {}",
        plan.at("arithmetic").dump(), identity.arithmetic));
  }
}

/// The root's part of open_run_folder.
RunFolder prepare(const OpenRunOptions& options, const Identity& identity, const Inputs& inputs,
                  RunLock& lock) {
  RunFolder run;
  run.path = run.target = options.target;
  const bool is_there = holds_run(options.target);
  if (is_there && options.start_over) {
    run.path += ".koine-fresh";
    std::error_code none;
    fs::remove_all(run.path, none);
  }
  const bool goes_on = is_there && !options.start_over;
  if (goes_on) run.state = store::has_manifest(run.path) ? RunState::complete : RunState::resumed;
  for (const char* folder : {"shards", "files", ".koine/journal"}) make_folders(run.path / folder);
  lock = take_lock(run.path);
  if (goes_on) {
    compare_with_earlier(run, identity);
    run.trusts_inputs = run.state == RunState::complete && inputs_untouched(run.path, inputs);
  }
  remove_temporaries(run.path);
  require_space(run.path, options.bytes_out);
  if (run.state != RunState::complete) write_plan(run.path, identity);
  return run;
}

}  // namespace

RunFolder foresee_run_folder(const OpenRunOptions& options, const Identity& identity) {
  RunFolder run;
  run.path = run.target = options.target;
  const bool goes_on = holds_run(options.target) && !options.start_over;
  if (goes_on) run.state = store::has_manifest(run.path) ? RunState::complete : RunState::resumed;
  if (goes_on) compare_with_earlier(run, identity);
  fs::path nearest = fs::absolute(options.target);
  while (!fs::exists(nearest)) nearest = nearest.parent_path();
  require_space(nearest, options.bytes_out);
  return run;
}

RunFolder open_run_folder(const OpenRunOptions& options, const Identity& identity,
                          const Inputs& inputs, comm::Communicator& processes, RunLock& lock) {
  RunFolder run;
  std::string told;
  if (processes.is_root()) {
    run = prepare(options, identity, inputs, lock);
    told = Json::array({run.path.string(), run.target.string(), static_cast<int>(run.state),
                        run.trusts_inputs})
               .dump();
  }
  processes.broadcast(told);
  if (processes.is_root()) return run;
  const Json json = Json::parse(told);
  run.path = json.at(0).get<std::string>();
  run.target = json.at(1).get<std::string>();
  run.state = static_cast<RunState>(json.at(2).get<int>());
  run.trusts_inputs = json.at(3);
  return run;
}

void settle_run_folder(const RunFolder& run, const Inputs& inputs) {
  write_file_atomically(inputs_path(run.path), to_text(stat_inputs(inputs)));
  if (run.path == run.target) return;
  const int status =
      ::renameat2(AT_FDCWD, run.path.c_str(), AT_FDCWD, run.target.c_str(), RENAME_EXCHANGE);
  if (status != 0) {
    throw StorageError(
        fmt::format("{}: cannot take the place of the old run ({}); the new run is complete in {}",
                    run.target.string(), std::error_code(errno, std::generic_category()).message(),
                    run.path.string()));
  }
  sync_folder(fs::absolute(run.target).parent_path());
  std::error_code none;
  fs::remove_all(run.path, none);  // now the old run
}

}  // namespace koine::pipeline
