#include "plan_view.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/json.hpp"
#include "core/text.hpp"
#include "pipeline/traffic.hpp"

namespace koine::jobs {
namespace {

std::string_view what(pipeline::RunState state) {
  if (state == pipeline::RunState::complete) return "is complete already; merge would check it";
  return state == pipeline::RunState::resumed
             ? "holds an unfinished run of this recipe; merge would go on with it"
             : "would be made";
}

std::map<std::string, std::int64_t> treatments(const pipeline::Plan& plan) {
  constexpr const char* kWords[] = {"copied", "base", "dense", "pruned", "averaged"};
  std::map<std::string, std::int64_t> counts;
  for (const auto& tensor : plan.tensors)
    ++counts[kWords[static_cast<std::size_t>(tensor.treatment)]];
  return counts;
}

/// "into runs/five (would be made)".
std::string where(const pipeline::RunFolder& folder) {
  if (folder.target.empty()) return "(merge will need --output DIR)";
  return fmt::format("into {} ({})", folder.target.string(), what(folder.state));
}

/// Time, balance, storage and cost.
std::string time_lines(const PlanView& v) {
  const bool has_gpus = v.machine.has_gpus;
  const int processes = v.plan.processes;
  std::string text =
      fmt::format("  time      about {} on {} process{} of {}, by the rates of {} ({}){}\n",
                  human_seconds(v.expected.seconds), processes, processes == 1 ? "" : "es",
                  has_gpus         ? std::string("a GPU")
                  : v.threads == 1 ? std::string("1 core")
                                   : fmt::format("{} cores", v.threads),
                  v.machine.machine, v.machine.source,
                  v.expected.waits_for_storage ? "; storage is what limits it" : "");
  text += fmt::format(
      "  balance   {:.0f} % over {} process{}{}\n", 100 * v.expected.balance, processes,
      processes == 1 ? "" : "es",
      v.plan.shared.empty() ? "" : "; all of them find factors first, then shards are merged");
  text += fmt::format("  storage   {}/s read and {}/s written, by all processes together\n",
                      human_bytes(static_cast<std::int64_t>(v.expected.read_rate)),
                      human_bytes(static_cast<std::int64_t>(v.expected.write_rate)));
  return text +
         fmt::format("  cost      {:.3g} {}-hours\n", v.expected.hours, has_gpus ? "GPU" : "core");
}

}  // namespace

void show_plan(const Session& session, const PlanView& v) {
  std::string text = fmt::format("{}: {} of {} experts {}\n", v.recipe.file, v.recipe.merge_method,
                                 v.inputs.experts.size(), where(v.folder));
  text += fmt::format("  base      {} ({} tensors, {} parameters)\n", v.inputs.base.path,
                      v.inputs.base.tensors.size(), human_count(v.inputs.base.parameters()));
  for (const auto& expert : v.inputs.experts)
    text += fmt::format("  expert    {}: {}\n", expert.entry.name, expert.header.path);
  for (const auto& [word, count] : treatments(v.plan))
    text += fmt::format("  {:9} {} tensors\n", word, count);
  for (const auto& hit : v.plan.selected)
    text += fmt::format("  select    '{}' hits {} matrices\n", hit.word, hit.tensors);
  text += fmt::format("  work      reads {}, writes {}, factorises {} matrices in {} shards\n",
                      human_bytes(v.plan.bytes_in), human_bytes(v.plan.bytes_out), v.plan.matrices,
                      v.plan.shards.size());
  if (!v.plan.densities.empty()) {
    text += fmt::format(
        "  budget    one per expert over all selected matrices; reads them {} times, "
        "keeps {} of factors on disk until the run is complete\n",
        pipeline::kBudgetPasses + 1, human_bytes(v.plan.bytes_factors));
  }
  text += fmt::format("  memory    about {} per process with {} threads\n",
                      human_bytes(v.plan.memory(v.inputs, v.threads)), v.threads);
  text += time_lines(v);
  const auto shares = pipeline::traffic_of(v.plan);
  for (std::size_t rank = 0; rank < shares.size() && shares.size() > 1; ++rank) {
    if (shares[rank].shards == 0) continue;
    text += fmt::format("  rank {:<4} {} shards, reads {}, writes {}\n", rank, shares[rank].shards,
                        human_bytes(shares[rank].read), human_bytes(shares[rank].written));
  }
  for (const auto& setting : v.recipe.settings) {
    if (v.shows_settings)
      text +=
          fmt::format("  setting   {} = {}  ({})\n", setting.key, setting.value, setting.origin);
  }
  text.pop_back();
  session.result(text);
}

void show_plan_json(const Session& session, const PlanView& v) {
  Json ranks = Json::array(), shards = Json::array(), settings = Json::array(),
       hits = Json::array(), treated = Json::object();
  std::int64_t bytes_read = 0, bytes_written = 0;
  for (const pipeline::Traffic& its : pipeline::traffic_of(v.plan)) {
    bytes_read += its.read;
    bytes_written += its.written;
    ranks.push_back(
        {{"shards", its.shards}, {"bytes_read", its.read}, {"bytes_written", its.written}});
  }
  for (const auto& shard : v.plan.shards) {
    shards.push_back({{"name", shard.name},
                      {"rank", shard.owner},
                      {"tensors", shard.tensors.size()},
                      {"bytes_read", shard.bytes_in + shard.bytes_out},
                      {"bytes_written", shard.bytes_out}});
  }
  for (const auto& s : v.recipe.settings)
    settings.push_back({{"key", s.key}, {"value", s.value}, {"origin", s.origin}});
  for (const auto& hit : v.plan.selected)
    hits.push_back({{"word", hit.word}, {"matrices", hit.tensors}});
  for (const auto& [word, count] : treatments(v.plan)) treated[word] = count;
  const Json document{{"schema", "koine-plan-1"},
                      {"recipe", v.recipe.file},
                      {"output", v.folder.target.string()},
                      {"experts", v.inputs.expert_names()},
                      {"tensors", v.plan.tensors.size()},
                      {"treatments", treated},
                      {"select", hits},
                      {"matrices", v.plan.matrices},
                      {"bytes_read", bytes_read},
                      {"bytes_written", bytes_written},
                      {"threads", v.threads},
                      {"memory_bytes_per_process", v.plan.memory(v.inputs, v.threads)},
                      {"rates", v.machine.source},
                      {"seconds", v.expected.seconds},
                      {v.machine.has_gpus ? "gpu_hours" : "core_hours", v.expected.hours},
                      {"balance", v.expected.balance},
                      {"shares_factors", !v.plan.shared.empty()},
                      {"storage_read_bytes_per_s", v.expected.read_rate},
                      {"storage_write_bytes_per_s", v.expected.write_rate},
                      {"waits_for_storage", v.expected.waits_for_storage},
                      {"ranks", ranks},
                      {"shards", shards},
                      {"settings", settings}};
  session.result(document.dump(2));
}

ExitCode run_plan(const Session& session, const PlanRequest& request) {
  const auto alone = comm::make_self();
  const pipeline::Inputs inputs = pipeline::open_inputs(request.recipe, *alone);
  const pipeline::Plan plan = pipeline::make_plan(
      request.recipe, inputs, request.processes,
      request.machine.has_gpus ? pipeline::gpu_rates() : pipeline::common_rates());
  const int threads = pipeline::threads_within(plan, inputs, request.threads, request.memory);
  const pipeline::Identity identity = pipeline::identity_of(request.recipe, inputs);
  pipeline::RunFolder folder;
  if (!request.target.empty()) {
    folder = pipeline::foresee_run_folder(
        {request.target, request.start_over, plan.bytes_out, plan.bytes_factors}, identity);
  }
  for (const std::string& note : request.recipe.warnings) session.warn(note);
  for (const std::string& note : plan.warnings) session.warn(note);
  if (request.processes > static_cast<int>(plan.shards.size())) {
    session.warn(
        fmt::format("{} shards for {} processes: some will have nothing to do; use fewer, or "
                    "output: {{shards: fine}}",
                    plan.shards.size(), request.processes));
  }
  for (const std::string& note : inputs.notes) session.say("note: " + note);
  const PlanView view{request.recipe,
                      inputs,
                      plan,
                      folder,
                      threads,
                      request.shows_settings,
                      request.machine,
                      pipeline::predict(plan, request.machine, {threads, request.per_machine})};
  if (request.as_json)
    show_plan_json(session, view);
  else
    show_plan(session, view);
  return ExitCode::done;
}

}  // namespace koine::jobs
