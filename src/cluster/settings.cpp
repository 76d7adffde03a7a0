#include "cluster/settings.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "cluster/templates.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "recipe/document.hpp"
#include "recipe/values.hpp"

namespace koine::cluster {
namespace {

namespace fs = std::filesystem;
using recipe::Node;
using recipe::Problems;
constexpr std::int64_t kLargestFile = 1 << 20;

std::vector<std::string> read_list(const Node& node, const std::string& key, Problems& problems) {
  std::vector<std::string> texts;
  if (node.is_null()) return texts;
  if (!node.is_list()) {
    problems.add(node.place, recipe::mismatch(key, node, "a list, such as [a, b]"));
    return texts;
  }
  for (const Node& item : node.items)
    texts.push_back(recipe::read_text(item, key, problems).value_or(""));
  return texts;
}

int read_count(const Node& node, const std::string& key, Problems& problems) {
  constexpr recipe::NumberRange kCount{
      .low = 0, .high = 100'000, .is_whole = true, .expected = "a whole number from 0 to 100000"};
  return static_cast<int>(recipe::read_number(node, key, kCount, problems).value_or(0));
}

/// How each key is read.
using Reader = std::function<void(const Node&, const std::string& key, Settings&, Problems&)>;

Reader text(std::string Settings::*member) {
  return [member](const Node& node, const std::string& key, Settings& settings, Problems& p) {
    if (!node.is_null()) settings.*member = recipe::read_text(node, key, p).value_or("");
  };
}

Reader list(std::vector<std::string> Settings::*member) {
  return [member](const Node& node, const std::string& key, Settings& settings, Problems& p) {
    settings.*member = read_list(node, key, p);
  };
}

Reader count(int Settings::*member) {
  return [member](const Node& node, const std::string& key, Settings& settings, Problems& p) {
    if (!node.is_null()) settings.*member = read_count(node, key, p);
  };
}

template <typename T>
Reader word(T Settings::*member, const std::vector<std::string>& words) {
  return
      [member, words](const Node& node, const std::string& key, Settings& settings, Problems& p) {
        const auto index = recipe::read_word(node, key, words, p);
        settings.*member = static_cast<T>(index.value_or(0));
      };
}

void read_memory(const Node& node, const std::string& key, Settings& settings, Problems& p) {
  if (node.is_null()) return;
  const auto bytes = node.is_scalar() ? parse_bytes(node.text) : std::nullopt;
  if (!bytes || *bytes <= 0) p.add(node.place, recipe::mismatch(key, node, "a size such as 500GB"));
  settings.memory_per_node = bytes.value_or(0);
}

void read_max_time(const Node& node, const std::string& key, Settings& settings, Problems& p) {
  if (node.is_null()) return;
  settings.max_time = node.is_scalar() ? slurm_seconds(node.text) : 0;
  if (settings.max_time <= 0)
    p.add(node.place, recipe::mismatch(key, node, "a time such as 2-00:00:00 or 36:00:00"));
}

const std::vector<std::pair<std::string, Reader>>& readers() {
  static const std::vector<std::pair<std::string, Reader>> kReaders{
      {"partition", text(&Settings::partition)},
      {"account", text(&Settings::account)},
      {"qos", text(&Settings::qos)},
      {"constraint", text(&Settings::constraint)},
      {"reservation", text(&Settings::reservation)},
      {"sbatch", list(&Settings::sbatch)},
      {"modules", list(&Settings::modules)},
      {"setup", text(&Settings::setup)},
      {"launcher", word(&Settings::launcher, {"srun", "mpirun"})},
      {"launcher_options", list(&Settings::launcher_options)},
      {"program", text(&Settings::program)},
      {"container", list(&Settings::container)},
      {"gpu_request",
       word(&Settings::gpu_request, {"none", "gpus-per-node", "gpus-per-task", "gres"})},
      {"gpu_type", text(&Settings::gpu_type)},
      {"gpus_per_node", count(&Settings::gpus_per_node)},
      {"cores_per_node", count(&Settings::cores_per_node)},
      {"memory_per_node", read_memory},
      {"max_time", read_max_time},
      {"rates", text(&Settings::rates)},
      {"signal_seconds", count(&Settings::signal_seconds)}};
  return kReaders;
}

Settings parse(const std::string& text, const std::string& file) {
  Problems problems(file, {});
  const Node root = recipe::parse_document(text, 0, problems);
  Settings settings;
  settings.name = fs::path(file).stem();
  if (!root.is_map() && !root.is_null())
    problems.fail(root.place, recipe::mismatch("a cluster file", root, "keys and values"));
  for (const recipe::Field& field : root.fields) {
    const auto found =
        std::ranges::find(readers(), field.key, &std::pair<std::string, Reader>::first);
    if (found != readers().end())
      found->second(field.value, field.key, settings, problems);
    else
      problems.add(field.place, fmt::format("unknown key {}{}", recipe::shown(field.key),
                                            did_you_mean(field.key, known_settings())));
  }
  if (settings.gpu_request != GpuRequest::none && settings.gpus_per_node == 0)
    problems.add(root.place, "gpu_request without gpus_per_node; say how many a node has");
  problems.throw_if_any();
  if (!settings.rates.empty())  // relative: to the cluster's file
    settings.rates = fs::absolute(fs::path(file).parent_path() / settings.rates).string();
  return settings;
}

/// The places where a cluster's file may lie, the nearest first.
std::vector<fs::path> places(const std::string& name) {
  std::vector<fs::path> files;
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (config != nullptr) files.push_back(fs::path(config) / "koine/clusters" / (name + ".yaml"));
  if (home != nullptr)
    files.push_back(fs::path(home) / ".config/koine/clusters" / (name + ".yaml"));
  files.push_back(fs::path("/etc/koine/clusters") / (name + ".yaml"));
  return files;
}

}  // namespace

Settings read_settings(const std::string& name_or_file) {
  std::error_code none;
  if (fs::is_regular_file(name_or_file, none))
    return parse(read_text_file(name_or_file, kLargestFile), name_or_file);
  std::string looked;
  for (const fs::path& file : places(name_or_file)) {
    if (fs::exists(file, none)) return parse(read_text_file(file, kLargestFile), file);
    looked += (looked.empty() ? "" : ", ") + file.string();
  }
  std::vector<std::string> names;
  for (const auto& [name, text] : own_clusters()) {
    if (name == name_or_file) return parse(text, name + ".yaml");
    names.push_back(name);
  }
  throw InputError(
      fmt::format("--cluster {}: no such file, and none in {}; the program itself has "
                  "{}{}",
                  name_or_file, looked, fmt::join(names, ", "), did_you_mean(name_or_file, names)));
}

const std::vector<std::string>& known_settings() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const auto& [name, reader] : readers()) names.push_back(name);
    return names;
  }();
  return kNames;
}

double slurm_seconds(const std::string& text) {
  double days = 0;
  std::string clock = text;
  const auto dash = text.find('-');
  const auto number = [](const std::string& digits) {
    const bool is_one = !digits.empty() && digits.size() < 7 &&
                        digits.find_first_not_of("0123456789") == std::string::npos;
    return is_one ? std::optional(std::stod(digits)) : std::nullopt;
  };
  if (dash != std::string::npos) {
    const auto found = number(text.substr(0, dash));
    if (!found) return 0;
    days = *found;
    clock = text.substr(dash + 1);
  }
  std::vector<double> parts;
  std::istringstream pieces(clock);
  for (std::string piece; std::getline(pieces, piece, ':');) {
    const auto found = number(piece);
    if (!found || parts.size() == 3) return 0;
    parts.push_back(*found);
  }
  if (parts.empty() || clock.ends_with(':')) return 0;
  // "hours[:minutes[:seconds]]" after days; else "minutes", "minutes:seconds" or all three.
  const bool starts_with_hours = dash != std::string::npos || parts.size() == 3;
  constexpr std::array<double, 3> kUnits{3600, 60, 1};
  double seconds = days * 86400;
  for (std::size_t i = 0; i < parts.size(); ++i)
    seconds += parts[i] * kUnits[std::min<std::size_t>(i + (starts_with_hours ? 0 : 1), 2)];
  return seconds;
}

}  // namespace koine::cluster
