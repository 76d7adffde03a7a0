#include "pipeline/sweep_folder.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "pipeline/attempt.hpp"
#include "pipeline/earlier_run.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr const char* kSchema = "koine-points-1";
constexpr std::int64_t kLargest = std::int64_t{1} << 32;

fs::path points_file(const fs::path& folder) {
  return folder / ".koine" / "points.json";
}
fs::path results_folder(const fs::path& folder) {
  return folder / ".koine" / "results";
}

fs::path parts_folder(const fs::path& folder) {
  return folder / ".koine" / "parts";
}

/// What makes a point another: its settings in any order, and its id.
std::string name_of(const SeenPoint& point) {
  auto settings = point.settings;
  std::ranges::sort(settings);
  return Json(settings).dump() + point.id;
}

/// A file that a power cut spoilt says nothing.
Json parse_or_null(const std::string& text) {
  return Json::parse(text, nullptr, false).is_discarded() ? Json() : Json::parse(text);
}

/// Whether what a part found is to be kept: what was judged once stays, unless by another command.
bool says_more(const Json& found, const Json& known) {
  if (!found.is_object()) return false;
  if (!known.is_object() || !known.contains("evaluation")) return true;
  if (!found.contains("evaluation")) return false;
  return found.at("evaluation") != known.at("evaluation") || has_failed(known);
}

}  // namespace

std::string status_of(const Json& result) {
  return result.is_object() ? result.value("status", "pending") : "pending";
}

bool has_failed(const Json& result) {
  return status_of(result) == "failed" || status_of(result) == "timed out";
}

std::string settings_text(const SeenPoint& point) {
  std::string text;
  for (const auto& [name, value] : point.settings)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  return text.empty() ? "the recipe as it is" : text;
}

void require_sweep_or_nothing(const fs::path& folder) {
  std::error_code none;
  const bool is_run = has_plan(folder) || store::has_manifest(folder);
  const bool is_sweep =
      fs::exists(points_file(folder), none) || fs::exists(parts_folder(folder), none);
  if (!fs::exists(folder, none) || (is_sweep && !is_run)) return;
  if (!fs::is_directory(folder, none))
    throw InputError(fmt::format("{}: is a file; choose another --output", folder.string()));
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() == ".koine" && !is_run)
      continue;  // a sweep that died before it wrote its points
    throw InputError(fmt::format("{}: exists and is no sweep's folder; choose another --output",
                                 folder.string()));
  }
}

fs::path part_folder(const fs::path& home, int number) {
  return parts_folder(home) / std::to_string(number);
}

std::vector<SeenPoint> read_points(const fs::path& folder) {
  std::error_code none;
  if (!fs::exists(points_file(folder), none))
    throw InputError(
        fmt::format("{}: is no sweep's folder: it has no .koine/points.json", folder.string()));
  try {
    const Json json = Json::parse(read_text_file(points_file(folder), kLargest));
    std::vector<SeenPoint> points;
    for (const Json& row : json.at("points")) {
      SeenPoint point{row.at("id"), {}, row.at("recipe")};
      for (const Json& setting : row.at("settings"))
        point.settings.emplace_back(setting.at(0), setting.at(1));
      points.push_back(std::move(point));
    }
    return points;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format("{}: is damaged ({}); remove the folder and sweep again",
                                 points_file(folder).string(), error.what()));
  }
}

const SeenPoint& find_point(const std::vector<SeenPoint>& points, const std::string& word) {
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (code == std::errc() && end == word.data() + word.size() && number < points.size())
    return points[number];
  const SeenPoint* found = nullptr;
  for (const SeenPoint& point : points) {
    if (word.empty() || !point.id.starts_with(word) || (found && found->id == point.id)) continue;
    if (found != nullptr)
      throw InputError(fmt::format("#{}: several points' ids begin so; give more digits", word));
    found = &point;
  }
  if (found == nullptr)
    throw InputError(fmt::format("#{}: no such point; there are 0 to {} (results.csv lists them)",
                                 word, points.size() - 1));
  return *found;
}

SweepFolder::SweepFolder(const fs::path& folder) : folder_(folder) {
  open();
  std::error_code none;
  if (fs::exists(points_file(folder), none)) points_ = read_points(folder);
  read_results(folder);
  take_over_parts();
  for (std::size_t i = 0; i < points_.size(); ++i)
    numbers_.try_emplace(name_of(points_[i]), static_cast<std::int64_t>(i));
}

SweepFolder::SweepFolder(const fs::path& part, const fs::path& home) : folder_(part) {
  require_sweep_or_nothing(home);
  open();
  std::error_code none;
  if (fs::exists(points_file(home), none)) points_ = read_points(home);
  read_results(home);
  read_results(part);
  for (std::size_t i = 0; i < points_.size(); ++i)
    numbers_.try_emplace(name_of(points_[i]), static_cast<std::int64_t>(i));
}

void SweepFolder::open() {
  require_sweep_or_nothing(folder_);
  make_folders(results_folder(folder_));
  lock_.add(folder_);
  forget_attempt(folder_);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(results_folder(folder_))) {
    if (entry.path().extension() != ".json") fs::remove(entry.path(), none);  // its writer died
  }
}

void SweepFolder::read_results(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(results_folder(folder), none)) {
    if (entry.path().extension() != ".json") continue;
    Json result = parse_or_null(read_text_file(entry.path(), kLargest));
    if (!result.is_null()) results_[entry.path().stem().string()] = std::move(result);
  }
}

void SweepFolder::take_over_parts() {
  std::error_code none;
  for (const auto& part : fs::directory_iterator(parts_folder(folder_), none)) {
    if (!fs::exists(results_folder(part.path()), none)) continue;
    lock_.add(part.path());
    for (const auto& entry : fs::directory_iterator(results_folder(part.path()))) {
      const Json found = parse_or_null(read_text_file(entry.path(), kLargest));
      const std::string id = entry.path().stem();
      if (entry.path().extension() == ".json" && says_more(found, result(id)))
        set_result(id, found);
    }
    fs::remove_all(part.path(), none);
  }
}

std::int64_t SweepFolder::number_of(const SeenPoint& point) {
  const auto next = static_cast<std::int64_t>(points_.size());
  const auto [found, is_new] = numbers_.try_emplace(name_of(point), next);
  if (is_new)
    points_.push_back(point);
  else
    points_[static_cast<std::size_t>(found->second)].recipe = point.recipe;  // it may have moved
  return found->second;
}

void SweepFolder::save_points() const {
  Json rows = Json::array();
  for (const SeenPoint& point : points_) {
    Json settings = Json::array();
    for (const auto& [name, value] : point.settings) settings.push_back(Json::array({name, value}));
    rows.push_back({{"id", point.id}, {"settings", settings}, {"recipe", point.recipe}});
  }
  write_file_atomically(points_file(folder_), to_text(Json{{"schema", kSchema}, {"points", rows}}));
}

const Json& SweepFolder::result(const std::string& id) const {
  static const Json kNothing;
  const auto found = results_.find(id);
  return found == results_.end() ? kNothing : found->second;
}

void SweepFolder::set_result(const std::string& id, const Json& result) {
  write_file_atomically(results_folder(folder_) / (id + ".json"), to_text(result));
  results_[id] = result;
}

}  // namespace koine::pipeline
