#include "store/verify.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"
#include "core/thread_pool.hpp"
#include "store/manifest.hpp"
#include "store/pieces.hpp"
#include "store/sums.hpp"
#include "store/verify_layout.hpp"
#include "store/verify_plan.hpp"

namespace koine::store {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

class Verifier {
 public:
  Verifier(const fs::path& run, const VerifyOptions& options, const Manifest& manifest)
      : run_(run),
        options_(options),
        manifest_(manifest),
        present_(list_run_folder(run)),
        jobs_(plan_checks(manifest, options.sample)) {}

  VerifyReport work() {
    for (const FileCheck& job : jobs_) total_ += job.bytes_to_read();
    report_.files = 2;  // the manifest and SHA256SUMS
    check_sums();
    check_strangers();
    parallel_for(
        static_cast<std::int64_t>(jobs_.size()), std::max(1, options_.threads),
        [this](std::int64_t index, int) { check_file(jobs_[static_cast<std::size_t>(index)]); });
    for (const FileCheck& job : jobs_) check_layout(job);
    for (const FileCheck& job : jobs_) count_unread(job);
    std::sort(report_.damages.begin(), report_.damages.end(),
              [](const Damage& a, const Damage& b) { return a.file < b.file; });
    return std::move(report_);
  }

 private:
  void check_sums() {
    const std::string name(kSumsName), expected = sums_text(manifest_.files);
    const auto found = present_.find(name);
    if (found == present_.end()) return add({name, "missing", {}});
    if (!found->second) return add({name, "is not a regular file", {}});
    const bool is_equal =
        fs::file_size(run_ / name) == expected.size() &&
        read_text_file(run_ / name, static_cast<std::int64_t>(expected.size())) == expected;
    if (!is_equal) add({name, "content differs", {}});
  }

  void check_strangers() {
    std::set<std::string_view> expected{kSumsName, kManifestName};
    for (const ManifestFile& file : manifest_.files) expected.insert(file.path);
    for (const auto& [path, is_regular] : present_) {
      if (!expected.contains(path)) add({path, "not in the manifest", {}});
    }
  }

  void check_file(FileCheck& job) {
    const auto found = present_.find(job.file->path);
    if (found == present_.end()) return blame(job, "missing");
    if (!found->second) return blame(job, "is not a regular file");
    try {
      Finding finding = read(job, true);
      if (!finding.what.empty()) finding = read(job, false);  // once more before the disk is blamed
      if (!finding.is_complete) return;
      job.is_checked = true;
      const std::lock_guard lock(guard_);
      ++report_.files;
      report_.tensors += static_cast<std::int64_t>(job.tensors.size());
      report_.bytes += job.bytes_to_read();
      if (finding.what.empty()) return;
      job.is_damaged = true;
      report_.damages.push_back({job.file->path, finding.what, finding.tensors});
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      blame(job, error.what());
    }
  }

  struct Finding {
    bool is_complete = true;  ///< false: time was up
    std::string what;
    std::vector<std::string> tensors;
  };

  Finding read(const FileCheck& job, bool is_counted) {
    const File file = File::open_read(run_ / job.file->path);
    const std::int64_t size = file.size();
    Finding finding;
    if (size != job.file->size)
      finding.what = fmt::format("size {}, expected {}", size, job.file->size);
    if (finding.what.empty() && job.is_whole) {
      const std::string hash =
          hash_piece(file, {0, size}, [&](std::int64_t n) { return go_on(is_counted ? n : 0); });
      if (hash.empty()) return {false, {}, {}};
      if (hash != job.file->sha256) finding.what = "content differs";
    }
    for (const ManifestTensor* tensor : job.tensors) {
      const bool is_inside = tensor->offset <= size - tensor->bytes();
      const std::int64_t counts = is_counted && !job.is_whole ? 1 : 0;
      const std::string hash = !is_inside
                                   ? "cut"
                                   : hash_piece(file, {tensor->offset, tensor->bytes()},
                                                [&](std::int64_t n) { return go_on(n * counts); });
      if (hash.empty()) return {false, {}, {}};
      if (hash == tensor->sha256) continue;
      if (finding.what.empty()) finding.what = "content differs";
      finding.tensors.push_back(tensor->name);
    }
    return finding;
  }

  bool go_on(std::int64_t bytes) {
    throw_if_stopped();
    const std::chrono::duration<double> passed = Clock::now() - begin_;
    if (options_.max_seconds > 0 && passed.count() > options_.max_seconds) return false;
    const std::lock_guard lock(guard_);
    done_ += bytes;
    if (options_.progress && bytes > 0) options_.progress(done_, total_);
    return true;
  }

  void count_unread(const FileCheck& job) {
    const bool is_blamed = job.is_damaged && !job.is_checked;  // not there to be read
    const std::int64_t read = job.is_checked ? job.bytes_to_read() : 0;
    const std::int64_t unread = is_blamed ? 0 : job.file->size - read;
    report_.bytes_total += job.file->size;
    report_.bytes_unread += unread;
    report_.files_unread += unread > 0 || (!job.is_checked && !is_blamed) ? 1 : 0;
  }

  void check_layout(const FileCheck& job) {
    if (!job.is_whole || !job.is_checked || job.is_damaged) return;
    const bool is_master = job.file->path == kMasterName;
    if (!is_master && job.tensors.empty()) return;
    const fs::path path = run_ / job.file->path;
    LayoutTrouble trouble = is_master ? check_master_layout(path, manifest_.tensors)
                                      : check_shard_layout(path, job.tensors);
    if (!trouble.what.empty())
      add({job.file->path, std::move(trouble.what), std::move(trouble.tensors)});
  }

  void blame(FileCheck& job, const std::string& what) {
    job.is_damaged = true;
    Damage damage{job.file->path, what, {}};
    for (const ManifestTensor* tensor : job.all_tensors) damage.tensors.push_back(tensor->name);
    const std::lock_guard lock(guard_);
    ++report_.files;
    report_.damages.push_back(std::move(damage));
  }

  void add(Damage damage) { report_.damages.push_back(std::move(damage)); }

  const fs::path& run_;
  const VerifyOptions& options_;
  const Manifest& manifest_;
  std::map<std::string, bool> present_;
  std::vector<FileCheck> jobs_;
  VerifyReport report_;
  std::mutex guard_;
  std::int64_t done_ = 0, total_ = 0;
  Clock::time_point begin_ = Clock::now();
};

Manifest manifest_of(const fs::path& run) {
  std::error_code ignored;
  if (!fs::is_directory(run, ignored))
    throw InputError(fmt::format("{}: is no folder", run.string()));
  if (has_manifest(run)) return read_manifest(run);
  throw VerifyError(fmt::format(
      "{}: is not complete (no manifest.json); run the same `koine merge` again", run.string()));
}

}  // namespace

VerifyReport verify(const fs::path& run, const VerifyOptions& options) {
  const Manifest manifest = manifest_of(run);
  return Verifier(run, options, manifest).work();
}

}  // namespace koine::store
