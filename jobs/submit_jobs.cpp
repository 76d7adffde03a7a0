#include "submit_jobs.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "commands.hpp"
#include "job_size.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/run_folder.hpp"
#include "pipeline/sweep_folder.hpp"

namespace koine::jobs {
namespace {

namespace fs = std::filesystem;
constexpr double kPointCost = 0.05;  // of a merge: what a sweep's further point takes
constexpr int kMostParts = 16;

cluster::JobScript script_of(const SubmitOptions& options, const std::string& purpose,
                             const fs::path& work, const fs::path& home,
                             const cluster::JobShape& shape) {
  cluster::JobScript script;
  std::string leaf = home.filename();
  std::ranges::replace_if(
      leaf, [](unsigned char c) { return std::isalnum(c) == 0; }, '-');
  script.name = fmt::format("koine-{}{}", leaf, purpose == "merge" ? "" : "-" + purpose);
  script.what = purpose + " of " + options.recipe;
  std::ranges::replace(script.what, '\n', ' ');
  script.work = work;
  script.job = home / ".koine" / "job";
  script.folder = fs::current_path();
  std::error_code none;
  script.program = fs::read_symlink("/proc/self/exe", none);
  script.max_requeues = options.max_requeues;
  script.version = version();
  script.shape = shape;
  return script;
}

/// "merge RECIPE --output TARGET …" with what the user gave and the job's cores.
std::vector<std::string> command_of(const SubmitOptions& options, const std::string& verb,
                                    const fs::path& target, int cores) {
  std::vector<std::string> words{verb,        fs::absolute(options.recipe).string(),
                                 "--output",  target.string(),
                                 "--threads", std::to_string(cores)};
  const auto add = [&words](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  for (const std::string& text : options.overrides) add("--set", text);
  add("--memory", options.memory);
  add("--cache", options.cache.empty() ? "" : fs::absolute(options.cache).string());
  if (options.backend != "auto") add("--backend", options.backend);
  if (options.transport != "auto") add("--transport", options.transport);
  if (options.stall != SubmitOptions{}.stall) add("--stall", fmt::format("{}", options.stall));
  return words;
}

/// Of the user's command nothing is known: the queue's own memory, and all the time there is.
void leave_room_for_commands(cluster::JobShape& shape, const SubmitOptions& options,
                             const cluster::Settings& settings) {
  shape.memory = 0;
  if (options.time.empty()) shape.seconds = settings.max_time;
}

pipeline::Inputs headers_of(const recipe::Recipe& recipe) {
  const auto alone = comm::make_self();
  return pipeline::open_inputs(recipe, *alone);
}

/// Makes the folder, and notes there which merge it is for.
pipeline::RunFolder open_for_job(const fs::path& target, const SubmitOptions& options,
                                 const recipe::Recipe& recipe, const pipeline::Plan& plan,
                                 const pipeline::Inputs& inputs) {
  const auto alone = comm::make_self();
  pipeline::Identity identity = pipeline::identity_of(recipe, inputs);
  identity.arithmetic = pipeline::kArithmeticOfLater;
  pipeline::RunLock lock;
  const std::int64_t beside = options.cache.empty() ? plan.bytes_factors : 0;
  return pipeline::open_run_folder({target, options.start_over, plan.bytes_out, beside}, identity,
                                   inputs, *alone, lock);
}

}  // namespace

cluster::Settings settings_of(const SubmitOptions& options) {
  cluster::Settings settings = cluster::read_settings(options.cluster);
  if (!options.partition.empty()) settings.partition = options.partition;
  if (!options.account.empty()) settings.account = options.account;
  if (options.launcher == "mpirun" && settings.launcher != cluster::Launcher::mpirun) {
    settings.launcher = cluster::Launcher::mpirun;
    settings.launcher_options.clear();  // those were srun's
  } else if (options.launcher == "srun" && settings.launcher != cluster::Launcher::srun) {
    settings.launcher = cluster::Launcher::srun;
    settings.launcher_options = {"--mpi=pmix"};
  }
  settings.sbatch.insert(settings.sbatch.end(), options.sbatch.begin(), options.sbatch.end());
  if (!options.time.empty() && cluster::slurm_seconds(options.time) <= 0)
    throw InputError(
        fmt::format("--time {}: expected a time such as 02:00:00 or 1-12:00:00", options.time));
  return settings;
}

WantedJobs jobs_of_merge(const Session& session, const SubmitOptions& options,
                         const cluster::Settings& settings) {
  const recipe::Recipe recipe = read_recipe(options);
  const fs::path target = fs::absolute(target_of(recipe));
  const JobSize size(session, options, settings, arithmetic_of_merge(options, settings));
  cluster::JobShape shape = size.shape();
  const pipeline::Inputs inputs = headers_of(recipe);
  const pipeline::Plan plan = size.plan(recipe, inputs, shape, pipeline::Sharing::where_sooner);
  for (const std::string& note : recipe.warnings) session.warn(note);
  for (const std::string& note : plan.warnings) session.warn(note);
  size.fit(shape, plan, inputs, 1);
  const auto run = open_for_job(target, options, recipe, plan, inputs);
  if (run.state == pipeline::RunState::complete) return {target, {}, {}};
  WantedJob job{"merge", {}, script_of(options, "merge", run.path, target, shape)};
  job.script.command = command_of(options, "merge", target, shape.cores);
  if (options.start_over) job.script.command.emplace_back("--fresh");
  if (options.allow_nonfinite) job.script.command.emplace_back("--allow-nonfinite");
  return {target, {job}, size.forecast(plan, shape)};
}

WantedJobs jobs_of_sweep(const Session& session, const SubmitOptions& options,
                         const cluster::Settings& settings) {
  const recipe::Sweep sweep =
      recipe::read_sweep(options.recipe, {options.overrides, options.output});
  const fs::path work = fs::absolute(sweep_folder_of(sweep));
  pipeline::require_sweep_or_nothing(work);
  const JobSize size(session, options, settings, Arithmetic::on_cores);
  cluster::JobShape shape = size.shape();
  for (const std::string& note : sweep.warnings) session.warn(note);
  const recipe::Recipe recipe = recipe::read(sweep.recipe_path, {options.overrides, {}});
  const pipeline::Inputs inputs = headers_of(recipe);
  const pipeline::Plan plan = size.plan(recipe, inputs, shape, pipeline::Sharing::never);
  const auto points = static_cast<double>(sweep.points.size());
  size.fit(shape, plan, inputs, 1 + kPointCost * points);
  WantedJobs wanted{
      work, {}, fmt::format("{} points; {}", sweep.points.size(), size.forecast(plan, shape))};
  const bool is_divided = recipe::can_be_divided(sweep);
  if (sweep.evaluate && !is_divided) leave_room_for_commands(shape, options, settings);
  WantedJob first{is_divided ? "statistics" : "sweep", {}, {}};
  first.script = script_of(options, first.purpose, work, work, shape);
  first.script.command = command_of(options, "sweep", work, shape.cores);
  if (is_divided) first.script.command.insert(first.script.command.end(), {"--only", "statistics"});
  wanted.jobs.push_back(first);
  if (!is_divided) return wanted;

  cluster::JobShape alone = shape;  // a point's merge finds its factors in the cache
  alone.nodes = alone.processes = 1;
  alone.gpus_per_node = std::min(1, shape.gpus_per_node);
  leave_room_for_commands(alone, options, settings);
  cluster::JobShape array = alone;
  array.first_part = 1;
  array.parts = options.parts > 0
                    ? options.parts
                    : static_cast<int>(std::min(points, static_cast<double>(kMostParts)));
  WantedJob parts{"points",
                  {{"afterok", "statistics"}},
                  script_of(options, "points", work / ".koine" / "parts", work, array)};
  parts.script.command = command_of(options, "sweep", work, shape.cores);
  parts.script.command.insert(parts.script.command.end(),
                              {"--part", fmt::format("$SLURM_ARRAY_TASK_ID/{}", array.parts)});
  // Without statistics there is nothing to gather; a part that failed is made up for.
  WantedJob gather{"gather",
                   {{"afterok", "statistics"}, {"afterany", "points"}},
                   script_of(options, "gather", work, work, alone)};
  gather.script.command = command_of(options, "sweep", work, shape.cores);
  wanted.jobs.push_back(parts);
  wanted.jobs.push_back(gather);
  return wanted;
}

}  // namespace koine::jobs
