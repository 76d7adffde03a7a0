#include <algorithm>
#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/scratch_folder.hpp"
#include "bench/suite.hpp"
#include "bench_table.hpp"
#include "checkpoint/whisper.hpp"
#include "commands.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "lowrank/truncated_svd.hpp"
#include "recipe_options.hpp"

namespace koine::jobs {
namespace {

struct Options {
  std::vector<std::string> only, shapes;
  std::vector<int> threads;
  std::string scratch, rates, model = "tiny";
  int repeats = 0;  ///< 0: 7, with --quick 2
  int experts = 0;  ///< 0: 5, with --quick 2
  bool is_quick = false, as_json = false, is_list = false;
};

constexpr std::int64_t kLeastSide = 16, kMostSide = 46340;  // rank 7 fits; LAPACK's integers do
constexpr std::int64_t kMostEntries = std::int64_t{1} << 31;

std::int64_t side_of(std::string_view text) {
  std::int64_t side = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), side);
  const bool is_number = code == std::errc() && end == text.data() + text.size();
  return is_number && side >= kLeastSide && side <= kMostSide ? side : 0;
}

/// "768x3072" -> [768, 3072].
Shape shape_of(const std::string& text) {
  const std::size_t cross = std::min(text.find('x'), text.size());
  const std::int64_t rows = side_of(std::string_view(text).substr(0, cross));
  const std::int64_t cols =
      cross == text.size() ? 0 : side_of(std::string_view(text).substr(cross + 1));
  if (rows == 0 || cols == 0 || rows * cols > kMostEntries) {
    throw InputError(
        fmt::format("--shape {}: expected ROWSxCOLUMNS such as 768x3072, each from {} "
                    "to {}, with at most {} entries",
                    text, kLeastSide, kMostSide, human_count(kMostEntries)));
  }
  return {rows, cols};
}

std::vector<Shape> shapes_of(const Options& options) {
  if (options.shapes.empty() && options.is_quick) return {{48, 160}, {96, 64}};
  if (options.shapes.empty())
    return {{768, 768}, {768, 3072}, {1280, 1280}, {1280, 5120}};  // Whisper small and large
  std::vector<Shape> shapes;
  shapes.reserve(options.shapes.size());
  for (const std::string& text : options.shapes) shapes.push_back(shape_of(text));
  return shapes;
}

std::vector<int> threads_of(const Options& options) {
  if (!options.threads.empty()) return options.threads;
  if (options.is_quick) return {1};
  const int cores = default_threads();
  return cores > 1 ? std::vector<int>{1, cores} : std::vector<int>{1};
}

void require_model(const std::string& model) {
  const std::vector<std::string> words = checkpoint::size_words();
  if (std::find(words.begin(), words.end(), model) != words.end()) return;
  throw InputError(
      fmt::format("--model {}: no such Whisper size{}", model, did_you_mean(model, words)));
}

bench::Options suite_options(const Options& options) {
  require_model(options.model);
  bench::Options wanted;
  wanted.only = options.only;
  wanted.shapes = shapes_of(options);
  wanted.threads = threads_of(options);
  wanted.repeats = options.repeats > 0 ? options.repeats : options.is_quick ? 2 : 7;
  wanted.experts = options.experts > 0 ? options.experts : options.is_quick ? 2 : 5;
  wanted.is_quick = options.is_quick;
  wanted.model = options.model;
  wanted.program = std::filesystem::read_symlink("/proc/self/exe");
  return wanted;
}

bool measures_merges(const Options& options) {
  return options.only.empty() ||
         std::find(options.only.begin(), options.only.end(), "merge") != options.only.end();
}

/// What the merges said of this machine, for koine plan --rates.
void write_rates(const Session& session, const Options& options, const bench::Machine& machine,
                 std::vector<pipeline::WorkerRates> rows) {
  pipeline::MachineRates rates;
  rates.machine = fmt::format("{}, {} core{}, {}", machine.cpu, machine.cores,
                              machine.cores == 1 ? "" : "s", machine.blas);
  rates.source = fmt::format("koine bench {} ({}): merges of Whisper {}", machine.version,
                             machine.commit, options.model);
  rates.most_workers = machine.cores;
  rates.rows = std::move(rows);
  std::ranges::sort(rates.rows, {}, &pipeline::WorkerRates::workers);
  write_file_atomically(options.rates, pipeline::rates_text(rates));
  session.say(fmt::format("rates of this machine: {}", options.rates));
}

ExitCode list_benches(const Session& session) {
  for (const bench::BenchRow& row : bench::suite())
    session.result(fmt::format("{:<16} {}", row.name, row.purpose));
  return ExitCode::done;
}

ExitCode run_bench(const Session& session, const Options& options) {
  if (options.is_list) return list_benches(session);
  if (!options.rates.empty() && !measures_merges(options))
    throw InputError(
        "--rates: rates are taken from whole merges, which --only leaves out; add merge to it");
  ::unsetenv("KOINE_CACHE");  // merges are measured whole
  bench::Options wanted = suite_options(options);
  std::vector<pipeline::WorkerRates> rates;
  if (!options.rates.empty())
    wanted.rates = [&](const pipeline::WorkerRates& row) { rates.push_back(row); };
  const bench::Machine machine{version(), commit(), bench::cpu_name(), lowrank::blas_description(),
                               default_threads()};
  const bench::ScratchFolder scratch(options.scratch.empty()
                                         ? std::filesystem::temp_directory_path()
                                         : std::filesystem::path(options.scratch));
  wanted.folder = scratch.path();
  // Lines for machines unless a person looks on.
  const bool as_json = options.as_json || ::isatty(STDOUT_FILENO) == 0;
  session.say(fmt::format("{}, {} core{}, {}; koine {} ({})", machine.cpu, machine.cores,
                          machine.cores == 1 ? "" : "s", machine.blas, machine.version,
                          machine.commit));
  bool is_headed = as_json, is_well = false;
  const auto show = [&](const bench::Figure& figure) {
    if (!is_headed) session.result(bench_heading());
    is_headed = true;
    session.result(as_json ? bench::to_json_line(figure, machine) : bench_row(figure));
  };
  try {
    is_well = bench::run_suite(wanted, show);
  } catch (const Interrupted&) {
    throw Interrupted(
        "stopped; the figures shown are whole, and nothing is left in the scratch folder");
  }
  if (is_well) {
    if (!options.rates.empty()) write_rates(session, options, machine, std::move(rates));
    return ExitCode::done;
  }
  session.fail(
      "a result did not agree with its plain definition (\"checked\": false); please "
      "report it with these figures");
  return ExitCode::our_fault;
}

}  // namespace

void add_bench(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, session, "bench",
                  "Measures this machine's kernels and whole merges, each result checked",
                  "koine bench --only gram,svd --shape 768x3072 --threads 1,2");
  command->add_option("--only", options->only, "Only these benches (--list names them)")
      ->option_text("NAME,…")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--shape", options->shapes,
                   "Matrices of the kernels (default: those of Whisper small and large)")
      ->option_text("MxN,…")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--threads", options->threads,
                   "So many matrices at once, one a thread (default: 1 and the cores)")
      ->option_text("N,…")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 4096));
  command->add_option("--repeats", options->repeats, "Timed runs of each, after warming up (7)")
      ->option_text("N")
      ->check(CLI::Range(1, 10000));
  command->add_option("--model", options->model, "Whisper size of the whole merges (tiny)")
      ->option_text("SIZE");
  command->add_option("--experts", options->experts, "Experts of the whole merges (5)")
      ->option_text("N")
      ->check(CLI::Range(1, 1000));
  command->add_option("--scratch", options->scratch, "Folder for files; nothing stays in it")
      ->option_text("DIR");
  command
      ->add_option("--rates", options->rates,
                   "Also write what a merge does here in a second, for koine plan --rates")
      ->option_text("FILE");
  command->add_flag("--quick", options->is_quick,
                    "Tiny sizes: shows that all works, measures nothing of worth");
  command->add_flag("--list", options->is_list, "Name the benches");
  command->add_flag("--json", options->as_json,
                    "A line of JSON per figure (the default where stdout is no terminal)");
  command->callback([&session, options] {
    session.command = [&session, options] { return run_bench(session, *options); };
  });
}

}  // namespace koine::jobs
