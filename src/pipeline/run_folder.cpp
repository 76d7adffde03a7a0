#include "pipeline/run_folder.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "pipeline/earlier_run.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;

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
    require_same_merge(run, identity);
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
  if (goes_on) require_same_merge(run, identity);
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
  write_input_stats(run.path, inputs);
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
