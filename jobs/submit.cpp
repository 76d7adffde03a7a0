#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cluster/slurm.hpp"
#include "cluster/submission.hpp"
#include "commands.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "submit_jobs.hpp"

namespace koine::jobs {
namespace {

namespace fs = std::filesystem;

/// Writes the scripts and what is known of them beside each other.
cluster::Submission write_scripts(const WantedJobs& wanted, const cluster::Settings& settings,
                                  const std::string& line) {
  cluster::Submission submission{line, fs::current_path(), {}};
  const fs::path folder = cluster::job_folder(wanted.work);
  make_folders(folder);
  for (const WantedJob& job : wanted.jobs) {
    const fs::path script = folder / (job.purpose + ".sbatch");
    write_file_atomically(script, cluster::text_of(job.script, settings));
    submission.jobs.push_back({{}, job.purpose, script});
  }
  return submission;
}

/// A job of this folder that Slurm still has: two would only wait for each other's lock.
void require_no_other(const fs::path& work) {
  const auto earlier = cluster::read_submission(work);
  std::vector<std::string> ids;
  for (const auto& job : earlier ? earlier->jobs : std::vector<cluster::SubmittedJob>{})
    if (!job.id.empty()) ids.push_back(job.id);
  for (const cluster::JobState& job : cluster::job_states(ids)) {
    if (!cluster::is_live(job)) continue;
    throw InputError(
        fmt::format("{}: job {} of this folder is {} already; wait for it (koine status "
                    "{}), or scancel {}",
                    work.string(), job.id, job.state, work.string(), job.id));
  }
}

/// Hands the scripts over, each with what it waits for. @throws InputError where Slurm refuses one;
/// those before it are noted
void hand_over(const WantedJobs& wanted, cluster::Submission& submission, const Session& session,
               bool is_test) {
  std::map<std::string, std::string> ids;  // by purpose
  for (std::size_t i = 0; i < wanted.jobs.size(); ++i) {
    const WantedJob& job = wanted.jobs[i];
    std::vector<std::string> options;
    std::string waits;
    for (const auto& [when, purpose] : job.waits_for)
      waits += fmt::format("{}{}:{}", waits.empty() ? "" : ",", when, ids[purpose]);
    if (!waits.empty() && !is_test)
      options = {"--dependency=" + waits, "--kill-on-invalid-dep=yes"};
    const auto answer =
        cluster::sbatch(submission.jobs[i].script, submission.folder, options, is_test);
    if (answer.code != 0) {
      std::string message = answer.message;
      std::ranges::replace(message, '\n', ' ');
      throw InputError(fmt::format(
          "{}: Slurm does not take it: {}{}; see koine submit --help for "
          "what can be asked for",
          submission.jobs[i].script, message,
          ids.empty() ? "" : fmt::format(" (job {} was taken; scancel it)", ids.begin()->second)));
    }
    if (is_test) {
      session.say(fmt::format("  {}: {}", job.purpose, answer.message));
      continue;
    }
    ids[job.purpose] = submission.jobs[i].id = answer.id;
    session.say(fmt::format("  job {}  {}{}", answer.id, job.purpose,
                            waits.empty() ? "" : ", when " + waits));
    cluster::write_submission(wanted.work, submission);
  }
}

std::string json_of(const WantedJobs& wanted, const cluster::Submission& submission) {
  Json jobs = Json::array();
  for (const cluster::SubmittedJob& job : submission.jobs)
    jobs.push_back({{"id", job.id}, {"purpose", job.purpose}, {"script", job.script}});
  return Json{{"schema", "koine-submitted-1"}, {"path", wanted.work.string()}, {"jobs", jobs}}
      .dump();
}

void show_scripts(const Session& session, const cluster::Submission& submission, bool as_result) {
  constexpr std::int64_t kLargest = 1 << 20;
  for (const cluster::SubmittedJob& job : submission.jobs) {
    std::string text = read_text_file(job.script, kLargest);
    text.pop_back();
    if (as_result)
      session.result(text);
    else
      session.detail(text);
  }
}

ExitCode run_submit(Session& session, const SubmitOptions& options) {
  const cluster::Settings settings = settings_of(options);
  const WantedJobs wanted = recipe::is_sweep(options.recipe)
                                ? jobs_of_sweep(session, options, settings)
                                : jobs_of_merge(session, options, settings);
  if (wanted.jobs.empty()) {
    session.say(fmt::format("{} is complete already: nothing to submit", wanted.work.string()));
    session.next("koine verify " + wanted.work.string());
    session.result(wanted.work.string());
    return ExitCode::done;
  }
  if (!options.only_prints) require_no_other(wanted.work);
  cluster::Submission submission = write_scripts(wanted, settings, session.typed);
  session.say("koine submit: " + wanted.forecast);
  for (const cluster::SubmittedJob& job : submission.jobs)
    session.say(fmt::format("  script  {}", job.script));
  // What only looks leaves the numbers of jobs that are there.
  const bool only_looks = options.only_prints || options.only_tests;
  if (!only_looks || !cluster::read_submission(wanted.work))
    cluster::write_submission(wanted.work, submission);
  show_scripts(session, submission, options.only_prints && !options.as_json);
  if (!options.only_prints) hand_over(wanted, submission, session, options.only_tests);
  if (options.only_prints || options.only_tests)
    session.next(fmt::format("sbatch {}", submission.jobs.front().script));
  else
    session.next(fmt::format("koine status {} --watch", wanted.work.string()));
  session.result(options.as_json ? json_of(wanted, submission) : wanted.work.string());
  return ExitCode::done;
}

void add_job_options(CLI::App& command, SubmitOptions& options) {
  command
      .add_option("--cluster", options.cluster,
                  "The cluster's settings: a YAML file, or a name (default: $KOINE_CLUSTER)")
      ->option_text("NAME")
      ->envname("KOINE_CLUSTER");
  command.add_option("--nodes", options.nodes, "Nodes")
      ->option_text("N")
      ->check(CLI::Range(1, 65536));
  command
      .add_option("--ranks", options.processes,
                  "Processes of all nodes (default: one per GPU, "
                  "else one per node)")
      ->option_text("N")
      ->check(CLI::Range(1, 1 << 20));
  command
      .add_option("--cores", options.cores,
                  "Cores of each process (default: the node's, shared "
                  "out)")
      ->option_text("N")
      ->check(CLI::Range(1, 4096));
  command
      .add_option("--time", options.time,
                  "Time limit (default: the plan's time, fourfold, and "
                  "15 min)")
      ->option_text("HH:MM:SS");
  command.add_option("--begin", options.begin, "When to start, as sbatch --begin")
      ->option_text("TIME");
  command.add_option("--partition", options.partition, "Instead of the cluster's")
      ->option_text("NAME");
  command.add_option("--account", options.account, "Instead of the cluster's")->option_text("NAME");
  command.add_option("--launcher", options.launcher, "srun or mpirun, instead of the cluster's")
      ->option_text("NAME")
      ->check(CLI::IsMember({"srun", "mpirun"}));
  command
      .add_option("--sbatch", options.sbatch, "A further sbatch option: --exclusive (repeatable)")
      ->option_text("OPTION")
      ->allow_extra_args(false);
  command
      .add_option("--array", options.parts,
                  "Of a sweep: evaluate in so many jobs at once (default: its points, at most 16)")
      ->option_text("N")
      ->check(CLI::Range(1, 10000));
  command
      .add_option("--max-requeues", options.max_requeues,
                  "How often a job that was stopped early goes on by itself (default: 10)")
      ->option_text("N")
      ->check(CLI::Range(0, 1000));
}

}  // namespace

void add_submit(CLI::App& app, Session& session) {
  const auto options = std::make_shared<SubmitOptions>();
  CLI::App* command = add_command(
      app, session, "submit", "Makes Slurm jobs of a recipe or a sweep, and submits them",
      "koine submit demo/lors.yaml --output runs/demo --nodes 2 --cores 16");
  add_recipe_options(*command, *options);
  add_job_options(*command, *options);
  add_memory_option(*command, options->memory);
  add_cache_option(*command, options->cache);
  add_place_options(*command, options->backend, options->transport);
  add_stall_option(*command, options->stall);
  command->add_flag("--allow-nonfinite", options->allow_nonfinite,
                    "Go on where an input is not finite or the result overflows");
  CLI::Option* print = command->add_flag("--print", options->only_prints,
                                         "Write the scripts and show them; submit nothing");
  command
      ->add_flag("--test-only", options->only_tests,
                 "Write the scripts and ask Slurm whether it would take them")
      ->excludes(print);
  command->add_flag("--json", options->as_json, "What was submitted as JSON");
  command->callback([&session, options] {
    session.command = [&session, options] { return run_submit(session, *options); };
  });
}

}  // namespace koine::jobs
