#include "cluster/job_script.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "cluster/templates.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace koine::cluster {
namespace {

constexpr double kMinute = 60;
constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;

/// A path in a #SBATCH line: quoted, % doubled, for Slurm puts job numbers there.
std::string log_path(const std::filesystem::path& folder, const std::string& pattern) {
  std::string text;
  for (const char c : folder.string()) text += c == '%' ? std::string("%%") : std::string(1, c);
  if (text.find_first_of("\"\n\\") != std::string::npos) {
    throw InputError(
        fmt::format("{}: a job's log cannot lie in a folder with quotes, backslashes "
                    "or line ends in its name; choose another --output",
                    folder.string()));
  }
  return fmt::format("\"{}/{}\"", text, pattern);
}

/// The options of a job in the order in which they stand in the script.
class Directives {
 public:
  void add(const std::string& option) { text_ += "#SBATCH " + option + "\n"; }
  void add(const char* option, const std::string& value) {
    if (!value.empty()) add(fmt::format("--{}={}", option, value));
  }
  void add(const char* option, std::int64_t value) {
    if (value > 0) add(option, std::to_string(value));
  }
  [[nodiscard]] std::string text() const { return text_.substr(0, text_.size() - 1); }

 private:
  std::string text_;
};

void add_gpus(Directives& directives, const JobShape& shape, const Settings& settings) {
  if (shape.gpus_per_node == 0) return;
  const std::string type = settings.gpu_type.empty() ? "" : settings.gpu_type + ":";
  switch (settings.gpu_request) {
    case GpuRequest::gres:
      return directives.add("gres", fmt::format("gpu:{}{}", type, shape.gpus_per_node));
    case GpuRequest::per_task:
      return directives.add("gpus-per-task", type + "1");
    default:
      return directives.add("gpus-per-node", fmt::format("{}{}", type, shape.gpus_per_node));
  }
}

std::string directives_of(const JobScript& script, const Settings& settings) {
  const JobShape& shape = script.shape;
  Directives directives;
  directives.add("job-name", script.name);
  directives.add("output", log_path(script.job, shape.parts > 0 ? "%A_%a.log" : "%j.log"));
  directives.add("--open-mode=append");
  directives.add("--requeue");
  directives.add(fmt::format("--signal=B:USR1@{}", settings.signal_seconds));
  if (shape.parts > 0)
    directives.add("array",
                   fmt::format("{}-{}", shape.first_part, shape.first_part + shape.parts - 1));
  directives.add("nodes", shape.nodes);
  directives.add("ntasks", shape.processes);
  directives.add("ntasks-per-node", shape.processes_per_node());
  directives.add("cpus-per-task", shape.cores);
  if (shape.memory > 0)
    directives.add("mem", fmt::format("{}M", (shape.memory + kMebibyte - 1) / kMebibyte));
  if (shape.seconds > 0) directives.add("time", slurm_time(shape.seconds));
  directives.add("begin", shape.begin);
  add_gpus(directives, shape, settings);
  directives.add("partition", settings.partition);
  directives.add("account", settings.account);
  directives.add("qos", settings.qos);
  directives.add("constraint", settings.constraint);
  directives.add("reservation", settings.reservation);
  for (const std::string& option : settings.sbatch) directives.add(option);
  return directives.text();
}

std::vector<std::string> launch_words(const JobScript& script, const Settings& settings) {
  const JobShape& shape = script.shape;
  std::vector<std::string> words;
  if (settings.launcher == Launcher::srun) {
    words = {"srun", "--kill-on-bad-exit=1"};
    // srun does not take it over from the job (Slurm 22.05 and later).
    if (shape.cores > 0) words.push_back(fmt::format("--cpus-per-task={}", shape.cores));
  } else {
    words = {"mpirun",
             "-n",
             std::to_string(shape.processes),
             "--map-by",
             fmt::format("ppr:{}:node", shape.processes_per_node()),
             "--bind-to",
             "none"};
  }
  words.insert(words.end(), settings.launcher_options.begin(), settings.launcher_options.end());
  return words;
}

/// Words of a bash array; one that begins with $ is a variable.
std::string array_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word.starts_with('$') ? '"' + word + '"' : shell_word(word);
  }
  return text;
}

std::string setup_of(const Settings& settings) {
  std::string text;
  for (const std::string& module : settings.modules)
    text += "module load " + shell_word(module) + " || exit 2\n";
  text += settings.setup;
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace

std::string text_of(const JobScript& script, const Settings& settings) {
  std::vector<std::string> koine = settings.container;
  koine.push_back(settings.program.empty() ? script.program : settings.program);
  const std::map<std::string, std::string> values{
      {"DIRECTIVES", directives_of(script, settings)},
      {"VERSION", script.version},
      {"CLUSTER", settings.name},
      {"WHAT", script.what},
      {"WORK", shell_word(script.work.string()) +
                   (script.shape.parts > 0 ? "/\"$SLURM_ARRAY_TASK_ID\"" : "")},
      {"JOB", shell_word(script.job.string())},
      {"KOINE", array_of(koine)},
      {"LAUNCH", array_of(launch_words(script, settings))},
      {"COMMAND", array_of(script.command)},
      {"MAX_REQUEUES", std::to_string(script.max_requeues)},
      {"FOLDER", shell_word(script.folder.string())},
      {"SETUP", setup_of(settings)}};
  const std::string form = job_template();
  std::string text;
  for (std::size_t at = 0; at < form.size();) {
    const auto begin = form.find('@', at);
    const auto end = begin == std::string::npos ? begin : form.find('@', begin + 1);
    const auto found = end == std::string::npos
                           ? values.end()
                           : values.find(form.substr(begin + 1, end - begin - 1));
    const auto next =
        found == values.end() ? (begin == std::string::npos ? form.size() : begin + 1) : begin;
    text += form.substr(at, next - at);
    at = next;
    if (found == values.end()) continue;
    text += found->second;
    at = end + 1;
  }
  return text;
}

std::string slurm_time(double seconds) {
  const auto minutes = static_cast<std::int64_t>(std::ceil(std::max(seconds, kMinute) / kMinute));
  constexpr std::int64_t kDay = 1440, kHour = 60;
  const std::int64_t days = minutes / kDay, hours = minutes % kDay / kHour;
  const std::string clock = fmt::format("{:02}:{:02}:00", hours, minutes % 60);
  return days > 0 ? fmt::format("{}-{}", days, clock) : clock;
}

}  // namespace koine::cluster
