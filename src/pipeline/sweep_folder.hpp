#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/json.hpp"
#include "pipeline/run_folder.hpp"

namespace koine::pipeline {

/// A point as the folder remembers it; its number is its place among all.
struct SeenPoint {
  std::string id;
  std::vector<std::pair<std::string, std::string>> settings;  ///< as in recipe::SweepPoint
  std::string recipe;                                         ///< YAML that `koine merge` runs
};

/// Of what a folder knows of an id: "pending" where that is nothing; "merged", "done", "failed",
/// "timed out".
[[nodiscard]] std::string status_of(const Json& result);
[[nodiscard]] bool has_failed(const Json& result);

/// "rank 7, density 0.2".
[[nodiscard]] std::string settings_text(const SeenPoint& point);

/// The folder of a sweep, and what it remembers in .koine: points.json, the points in the order in
/// which the sweep first saw them, for ever; results/ID.json, what is known of each. Root only.
class SweepFolder {
 public:
  /// Makes or opens it, and locks it for this process' life. Takes over what its parts have found,
  /// which ends them. @throws InputError where it holds something else, or another process works in
  /// it or in a part
  explicit SweepFolder(const std::filesystem::path& folder);

  /// A part: remembers for itself what it finds, and knows what the sweep's folder `home` does.
  /// @throws as above, of this part alone
  SweepFolder(const std::filesystem::path& part, const std::filesystem::path& home);

  /// The number of a point; a new one is added, a known one takes the recipe's text of now. Saved
  /// by save_points().
  std::int64_t number_of(const SeenPoint& point);
  void save_points() const;  ///< @throws StorageError
  [[nodiscard]] const std::vector<SeenPoint>& points() const noexcept { return points_; }

  /// What is known of an id (or a baseline: "base", "expert-…"); null where nothing is.
  [[nodiscard]] const Json& result(const std::string& id) const;
  /// Keeps it. @throws StorageError
  void set_result(const std::string& id, const Json& result);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return folder_; }

 private:
  void open();
  void read_results(const std::filesystem::path& folder);
  void take_over_parts();
  std::filesystem::path folder_;
  RunLock lock_;
  std::vector<SeenPoint> points_;
  std::map<std::string, std::int64_t> numbers_;
  std::map<std::string, Json> results_;
};

/// @throws InputError for a folder that holds anything but a sweep
void require_sweep_or_nothing(const std::filesystem::path& folder);

/// Where part `number` of a sweep works.
[[nodiscard]] std::filesystem::path part_folder(const std::filesystem::path& home, int number);

/// The points of a sweep's folder, without opening it for work.
/// @throws InputError where the folder is no sweep's
[[nodiscard]] std::vector<SeenPoint> read_points(const std::filesystem::path& folder);

/// The point that "17" or "#3fa9…" (the first digits of an id) names. @throws InputError
[[nodiscard]] const SeenPoint& find_point(const std::vector<SeenPoint>& points,
                                          const std::string& word);

}  // namespace koine::pipeline
