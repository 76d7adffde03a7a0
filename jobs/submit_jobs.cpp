#include "submit_jobs.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "commands.hpp"
#include "core/text.hpp"
#include "pipeline/plan.hpp"
#include "pipeline/predict.hpp"
#include "pipeline/run_folder.hpp"
#include "pipeline/sweep_folder.hpp"

namespace koine::jobs {
namespace {

namespace fs = std::filesystem;
constexpr double kTimeMargin = 4, kMeasuredMargin = 2;  // of a time limit; with measured rates
constexpr double kLeastTime = 15 * 60;                  // seconds
constexpr double kMemoryMargin = 1.25;
constexpr std::int64_t kLauncherMemory = std::int64_t{512} << 20;  // bytes per node
constexpr double kPointCost = 0.05;  // of a merge: what a sweep's further point takes
constexpr int kMostParts = 16;

/// What the jobs of a recipe have in common.
class JobMaker {
 public:
  JobMaker(const Session& session, const SubmitOptions& options, const cluster::Settings& settings)
      : session_(session),
        options_(options),
        settings_(settings),
        machine_(settings.rates.empty() ? pipeline::common_machine()
                                        : pipeline::read_rates(settings.rates)) {}

  /// Processes, cores and GPUs, as asked for or as the cluster has them. @throws InputError
  [[nodiscard]] cluster::JobShape shape() const {
    cluster::JobShape shape;
    shape.nodes = options_.nodes;
    shape.gpus_per_node = settings_.gpus_per_node;
    shape.processes = options_.processes > 0
                          ? options_.processes
                          : options_.nodes * std::max(1, settings_.gpus_per_node);
    if (shape.processes < shape.nodes)
      throw InputError(fmt::format("--ranks {}: less than one process for each of {} nodes",
                                   shape.processes, shape.nodes));
    shape.cores =
        options_.cores > 0 ? options_.cores : settings_.cores_per_node / shape.processes_per_node();
    if (shape.cores == 0)
      session_.warn(fmt::format(
          "cluster '{}' does not say cores_per_node, so each process gets one core; --cores N "
          "gives it more",
          settings_.name));
    shape.cores = std::max(1, shape.cores);
    shape.begin = options_.begin;
    shape.seconds = cluster::slurm_seconds(options_.time);
    check_time(shape.seconds);
    return shape;
  }

  /// Memory and time that the plan's processes will need, with a margin. @throws InputError where a
  /// node has less
  void fit(cluster::JobShape& shape, const pipeline::Plan& plan, const pipeline::Inputs& inputs,
           double merges) const {
    const std::int64_t limit = memory_limit(options_.memory);
    const auto each = static_cast<double>(limit > 0 ? limit : plan.memory(inputs, shape.cores));
    shape.memory = static_cast<std::int64_t>(kMemoryMargin * each * shape.processes_per_node()) +
                   kLauncherMemory;
    if (settings_.memory_per_node > 0 && shape.memory > settings_.memory_per_node) {
      throw InputError(fmt::format(
          "{} per node would be needed, nodes of '{}' have {}; use fewer processes per node "
          "(--ranks), fewer cores (--cores), or --memory",
          human_bytes(shape.memory), settings_.name, human_bytes(settings_.memory_per_node)));
    }
    if (shape.seconds > 0) return;
    const double margin = settings_.rates.empty() ? kTimeMargin : kMeasuredMargin;
    shape.seconds = kLeastTime + margin * merges * expected(plan, shape).seconds;
    if (settings_.max_time > 0) shape.seconds = std::min(shape.seconds, settings_.max_time);
  }

  [[nodiscard]] pipeline::Prediction expected(const pipeline::Plan& plan,
                                              const cluster::JobShape& shape) const {
    return predict(plan, machine_, {shape.cores, shape.processes_per_node()});
  }

  /// What the user is told beforehand.
  [[nodiscard]] std::string forecast(const pipeline::Plan& plan,
                                     const cluster::JobShape& shape) const {
    const pipeline::Prediction time = expected(plan, shape);
    return fmt::format(
        "reads {}, writes {}, factorises {} matrices on {} process{} of {} core{}: about {}, "
        "{:.2g} {}-hours",
        human_bytes(plan.bytes_in), human_bytes(plan.bytes_out), plan.matrices, shape.processes,
        shape.processes == 1 ? "" : "es", shape.cores, shape.cores == 1 ? "" : "s",
        human_seconds(time.seconds), time.hours, machine_.has_gpus ? "GPU" : "core");
  }

  [[nodiscard]] cluster::JobScript script(const std::string& purpose, const fs::path& work,
                                          const fs::path& home,
                                          const cluster::JobShape& shape) const {
    cluster::JobScript script;
    std::string leaf = home.filename();
    std::ranges::replace_if(
        leaf, [](unsigned char c) { return std::isalnum(c) == 0; }, '-');
    script.name = fmt::format("koine-{}{}", leaf, purpose == "merge" ? "" : "-" + purpose);
    script.what = purpose + " of " + options_.recipe;
    std::ranges::replace(script.what, '\n', ' ');
    script.work = work;
    script.job = home / ".koine" / "job";
    script.folder = fs::current_path();
    std::error_code none;
    script.program = fs::read_symlink("/proc/self/exe", none);
    script.max_requeues = options_.max_requeues;
    script.version = version();
    script.shape = shape;
    return script;
  }

  /// "merge RECIPE --output TARGET …" with what the user gave and the job's cores.
  [[nodiscard]] std::vector<std::string> command(const std::string& verb, const fs::path& target,
                                                 int cores) const {
    std::vector<std::string> words{verb,        fs::absolute(options_.recipe).string(),
                                   "--output",  target.string(),
                                   "--threads", std::to_string(cores)};
    const auto add = [&words](const char* option, const std::string& value) {
      if (!value.empty()) words.insert(words.end(), {option, value});
    };
    for (const std::string& text : options_.overrides) add("--set", text);
    add("--memory", options_.memory);
    add("--cache", options_.cache.empty() ? "" : fs::absolute(options_.cache).string());
    if (options_.backend != "auto") add("--backend", options_.backend);
    if (options_.transport != "auto") add("--transport", options_.transport);
    return words;
  }

 private:
  /// @throws InputError for a limit that makes no sense
  void check_time(double seconds) const {
    if (seconds == 0) return;
    if (seconds <= settings_.signal_seconds)
      throw InputError(
          fmt::format("--time {}: a job is told to stop {} s before its limit; give it "
                      "more",
                      options_.time, settings_.signal_seconds));
    if (settings_.max_time > 0 && seconds > settings_.max_time)
      throw InputError(fmt::format("--time {}: '{}' allows at most {} (max_time)", options_.time,
                                   settings_.name, cluster::slurm_time(settings_.max_time)));
  }

  const Session& session_;
  const SubmitOptions& options_;
  const cluster::Settings& settings_;
  pipeline::MachineRates machine_;
};

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
  return pipeline::open_run_folder({target, options.start_over, plan.bytes_out, plan.bytes_factors},
                                   identity, inputs, *alone, lock);
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
  const JobMaker maker(session, options, settings);
  cluster::JobShape shape = maker.shape();
  const pipeline::Inputs inputs = headers_of(recipe);
  const pipeline::Plan plan = pipeline::make_plan(recipe, inputs, shape.processes);
  for (const std::string& note : recipe.warnings) session.warn(note);
  for (const std::string& note : plan.warnings) session.warn(note);
  maker.fit(shape, plan, inputs, 1);
  const auto run = open_for_job(target, options, recipe, plan, inputs);
  if (run.state == pipeline::RunState::complete) return {target, {}, {}};
  WantedJob job{"merge", {}, maker.script("merge", run.path, target, shape)};
  job.script.command = maker.command("merge", target, shape.cores);
  if (options.start_over) job.script.command.emplace_back("--fresh");
  if (options.allow_nonfinite) job.script.command.emplace_back("--allow-nonfinite");
  return {target, {job}, maker.forecast(plan, shape)};
}

WantedJobs jobs_of_sweep(const Session& session, const SubmitOptions& options,
                         const cluster::Settings& settings) {
  const recipe::Sweep sweep =
      recipe::read_sweep(options.recipe, {options.overrides, options.output});
  const fs::path work = fs::absolute(sweep_folder_of(sweep));
  pipeline::require_sweep_or_nothing(work);
  const JobMaker maker(session, options, settings);
  cluster::JobShape shape = maker.shape();
  for (const std::string& note : sweep.warnings) session.warn(note);
  const recipe::Recipe recipe = recipe::read(sweep.recipe_path, {options.overrides, {}});
  const pipeline::Inputs inputs = headers_of(recipe);
  const pipeline::Plan plan = pipeline::make_plan(recipe, inputs, shape.processes);
  const auto points = static_cast<double>(sweep.points.size());
  maker.fit(shape, plan, inputs, 1 + kPointCost * points);
  WantedJobs wanted{
      work, {}, fmt::format("{} points; {}", sweep.points.size(), maker.forecast(plan, shape))};
  const bool is_divided = recipe::can_be_divided(sweep);
  if (sweep.evaluate && !is_divided) leave_room_for_commands(shape, options, settings);
  WantedJob first{is_divided ? "statistics" : "sweep", {}, {}};
  first.script = maker.script(first.purpose, work, work, shape);
  first.script.command = maker.command("sweep", work, shape.cores);
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
                  maker.script("points", work / ".koine" / "parts", work, array)};
  parts.script.command = maker.command("sweep", work, shape.cores);
  parts.script.command.insert(parts.script.command.end(),
                              {"--part", fmt::format("$SLURM_ARRAY_TASK_ID/{}", array.parts)});
  // Without statistics there is nothing to gather; a part that failed is made up for.
  WantedJob gather{"gather",
                   {{"afterok", "statistics"}, {"afterany", "points"}},
                   maker.script("gather", work, work, alone)};
  gather.script.command = maker.command("sweep", work, shape.cores);
  wanted.jobs.push_back(parts);
  wanted.jobs.push_back(gather);
  return wanted;
}

}  // namespace koine::jobs
