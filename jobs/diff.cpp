#include "pipeline/diff.hpp"

#include <memory>
#include <thread>

#include <fmt/format.h>

#include "commands.hpp"

namespace koine::jobs {
namespace {

constexpr std::size_t kShown = 20;

struct Options {
  std::string a, b;
  pipeline::DiffOptions diff;
  bool as_json = false;
};

ExitCode run(const Session& session, const Options& options) {
  const checkpoint::Checkpoint a = checkpoint::open(options.a), b = checkpoint::open(options.b);
  for (const auto* side : {&a, &b}) {
    for (const std::string& note : side->notes) session.say("note: " + note);
  }
  const pipeline::DiffReport report = pipeline::diff(a, b, options.diff);
  for (const std::string& note : report.notes) session.say("note: " + note);
  const std::size_t most = session.is_quiet ? 0 : session.verbosity > 0 ? SIZE_MAX : kShown;
  std::string text = options.as_json ? diff_json(report, options.diff) : diff_text(report, most);
  if (text.ends_with('\n')) text.pop_back();
  session.result(text);
  return report.is_equal() ? ExitCode::done : ExitCode::difference;
}

}  // namespace

void add_diff(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  options->diff.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  CLI::App* command =
      add_command(app, session, "diff", "Compares two checkpoints of any format, tensor by tensor",
                  "koine diff runs/five exported/five   # exit 0: equal, 5: different");
  command->add_option("A", options->a, "A checkpoint or run folder")->required();
  command->add_option("B", options->b, "Another one")->required();
  command
      ->add_option("--tolerance", options->diff.tolerance,
                   "Largest absolute difference that counts as equal")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->option_text("X");
  command->add_option("--threads", options->diff.threads, "Threads")
      ->check(CLI::Range(1, 1024))
      ->option_text("N");
  command->add_flag("--json", options->as_json, "Result as JSON, every tensor");
  command->callback([options, &session] {
    session.command = [options, &session] { return run(session, *options); };
  });
}

}  // namespace koine::jobs
