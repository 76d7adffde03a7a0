#include "pipeline/earlier_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "core/json.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kLargest = std::int64_t{64} << 20;

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

bool is_plan(const Json& plan) {
  return plan.contains("recipe") && plan.contains("inputs") && plan.contains("arithmetic");
}

/// The earlier run's plan; from the manifest where .koine was cleaned away or the plan is damaged.
Json read_plan(const fs::path& run) {
  if (fs::exists(plan_path(run))) {
    Json plan = Json::parse(read_text_file(plan_path(run), kLargest), nullptr, false);
    if (!plan.is_discarded() && is_plan(plan)) return plan;
  }
  try {
    const store::Manifest manifest = store::read_manifest(run);
    Json inputs = Json::parse(manifest.inputs);
    for (Json& model : inputs) model.erase("tensors");
    return {{"recipe", Json::parse(manifest.recipe)},
            {"inputs", inputs},
            {"arithmetic", Json::parse(manifest.arithmetic)}};
  } catch (const Error&) {
    throw InputError(fmt::format(
        "{}: neither .koine/plan.json nor manifest.json can be read, so the run cannot go on; "
        "--fresh starts over",
        run.string()));
  }
}

}  // namespace

bool has_plan(const fs::path& run) {
  return fs::exists(plan_path(run));
}

void write_plan(const fs::path& run, const Identity& identity) {
  const Json plan{{"recipe", Json::parse(identity.recipe)},
                  {"inputs", Json::parse(identity.inputs)},
                  {"arithmetic", Json::parse(identity.arithmetic)}};
  write_file_atomically(plan_path(run), to_text(plan));
}

void require_same_merge(RunFolder& run, const Identity& identity) {
  const Json plan = read_plan(run.path);
  const auto lines = differences(plan, identity);
  if (!lines.empty()) {
    throw InputError(fmt::format(
        "{}: holds {} run of other settings ({}); choose another --output, or --fresh to replace "
        "it",
        run.target.string(), run.state == RunState::complete ? "a complete" : "an unfinished",
        fmt::join(lines, "; ")));
  }
  const Json here = Json::parse(identity.arithmetic);
  const bool is_known = !plan.at("arithmetic").is_null() && !here.is_null();
  if (is_known && plan.at("arithmetic") != here && run.state != RunState::complete) {
    run.notes.push_back(fmt::format(
        "this machine computes differently from where the run began ({}); unfinished shards are "
        "merged with {}",
        plan.at("arithmetic").dump(), identity.arithmetic));
  }
}

std::string input_stats(const Inputs& inputs) {
  return to_text(stat_inputs(inputs));
}

void write_input_stats(const fs::path& run, const Inputs& inputs, const std::string& at_start) {
  std::error_code none;
  if (input_stats(inputs) == at_start)
    write_file_atomically(inputs_path(run), at_start);
  else
    fs::remove(inputs_path(run), none);
}

bool inputs_untouched(const fs::path& run, const Inputs& inputs) {
  if (!fs::exists(inputs_path(run))) return false;
  try {
    return Json::parse(read_text_file(inputs_path(run), kLargest)) == stat_inputs(inputs);
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace koine::pipeline
