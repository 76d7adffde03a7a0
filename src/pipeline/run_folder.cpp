#include "pipeline/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "pipeline/attempt.hpp"
#include "pipeline/earlier_run.hpp"
#include "pipeline/shard_claims.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr int kRemovals = 10;

bool is_empty_folder(const fs::path& folder) {
  return fs::is_directory(folder) && fs::is_empty(folder);
}

/// Whether an earlier merge lies here. @throws InputError for anything else that must not be
/// overwritten
bool holds_run(const fs::path& folder) {
  if (!fs::exists(fs::symlink_status(folder)) || is_empty_folder(folder)) return false;
  if (fs::is_directory(folder) && (has_plan(folder) || store::has_manifest(folder))) return true;
  if (fs::is_directory(folder) && fs::exists(folder / ".koine"))
    return false;  // died before its plan was written
  throw InputError(
      fmt::format("{}: exists and is no Koine run; choose another --output", folder.string()));
}

void require_space(const fs::path& run, std::int64_t bytes_out) {
  struct statvfs status {};
  if (::statvfs(run.c_str(), &status) != 0) return;
  const auto free = static_cast<std::int64_t>(status.f_bavail * status.f_frsize);
  std::int64_t there = 0;
  std::error_code none;
  for (const char* folder : {"shards", ".koine/factors"}) {
    for (const auto& entry : fs::recursive_directory_iterator(run / folder, none))
      there += entry.is_regular_file(none) ? static_cast<std::int64_t>(entry.file_size(none)) : 0;
  }
  if (free + there >= bytes_out) return;
  throw StorageError(
      fmt::format("{}: {} to write, {} free; free some space and run the same command again",
                  run.string(), human_bytes(bytes_out - there), human_bytes(free)));
}

/// Files of a writer that died.
void remove_temporaries(const fs::path& run) {
  for (const fs::path& folder :
       {run, run / "shards", run / "files", run / ".koine", run / ".koine" / "journal"}) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      if (is_temporary(entry.path())) fs::remove(entry.path(), none);
    }
  }
}

bool is_same_merge(const fs::path& path, const Identity& identity) {
  try {
    RunFolder run;
    run.path = run.target = path;
    require_same_merge(run, identity);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

/// --fresh: the new run grows beside the old one, which stays locked. One that was stopped goes on.
void step_aside(RunFolder& run, const Identity& identity, RunLock& lock) {
  lock.add(run.target);
  run.path += kFreshSuffix;
  if (!fs::exists(run.path)) return;
  if (fs::exists(run.path / ".koine")) lock.add(run.path);
  if (has_plan(run.path) && is_same_merge(run.path, identity)) return;
  std::error_code none;
  fs::remove_all(run.path, none);
}

RunState state_of(const fs::path& run) {
  if (store::has_manifest(run)) return RunState::complete;
  return has_plan(run) ? RunState::resumed : RunState::fresh;
}

/// The root's part of open_run_folder.
RunFolder prepare(const OpenRunOptions& options, const Identity& identity, const Inputs& inputs,
                  RunLock& lock) {
  RunFolder run;
  run.path = run.target =
      fs::is_symlink(options.target) ? fs::canonical(options.target) : options.target;
  run.input_stats = input_stats(inputs);
  if (holds_run(run.target) && options.start_over) {
    step_aside(run, identity, lock);
  } else if (fs::exists(run.target.string() + kFreshSuffix)) {
    run.notes.push_back(
        fmt::format("{}{} holds an unfinished --fresh run; --fresh goes on with it, or remove it",
                    run.target.string(), kFreshSuffix));
  }
  // .koine first: a folder without it is somebody else's.
  for (const char* folder : {".koine/journal", "shards", "files"}) make_folders(run.path / folder);
  if (run.path == run.target || !has_plan(run.path)) lock.add(run.path);
  run.state = state_of(run.path);
  if (run.state != RunState::fresh) {
    require_same_merge(run, identity);
    run.trusts_inputs = run.state == RunState::complete && inputs_untouched(run.path, inputs);
  }
  forget_attempt(run.path);
  ShardClaims::forget(run.path);
  remove_temporaries(run.path);
  require_space(run.path,
                options.bytes_out + (run.state == RunState::complete ? 0 : options.bytes_factors));
  const bool is_known_better =
      run.state == RunState::resumed && identity.arithmetic == kArithmeticOfLater;
  if (run.state != RunState::complete && !is_known_better) write_plan(run.path, identity);
  return run;
}

/// Swaps two folders; where the file system cannot do that in one step, in three.
void exchange(const fs::path& a, const fs::path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return;
  const fs::path aside = b.string() + ".koine-old";
  std::error_code code;
  fs::rename(b, aside, code);
  if (!code) fs::rename(a, b, code);
  if (!code) fs::rename(aside, a, code);
  if (code) {
    throw StorageError(fmt::format(
        "{}: the new run is complete in {} but cannot take its place: {}; run the same command "
        "again",
        b.string(), a.string(), code.message()));
  }
}

}  // namespace

RunFolder foresee_run_folder(const OpenRunOptions& options, const Identity& identity) {
  RunFolder run;
  run.path = run.target = options.target;
  const bool goes_on = holds_run(options.target) && !options.start_over;
  if (goes_on) {
    run.state = state_of(run.path);
    require_same_merge(run, identity);
  }
  fs::path nearest = fs::absolute(options.target);
  while (!fs::exists(nearest)) nearest = nearest.parent_path();
  require_space(nearest,
                options.bytes_out + (run.state == RunState::complete ? 0 : options.bytes_factors));
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
  write_input_stats(run.path, inputs, run.input_stats);
  if (run.path == run.target) return;
  exchange(run.path, run.target);
  sync_folder(fs::absolute(run.target).parent_path());
  std::error_code none;
  fs::rename(run.path / ".koine" / "job", run.target / ".koine" / "job",
             none);  // whose log is ours
  // Now the old run. The last beats of our processes may fall into it meanwhile.
  for (int i = 0; i < kRemovals && fs::exists(run.path, none); ++i) fs::remove_all(run.path, none);
}

}  // namespace koine::pipeline
