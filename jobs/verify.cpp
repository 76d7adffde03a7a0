#include "store/verify.hpp"

#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "pipeline/origin.hpp"
#include "pipeline/recompute.hpp"
#include "recipe_options.hpp"

namespace koine::jobs {
namespace {

struct Options {
  std::string run, sample = "100%", recompute, max_time;
  int threads = 0;
  bool as_json = false;
};

/// "10%" -> 0.1.
double share_of(const std::string& option, const std::string& text) {
  double percent = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (code != std::errc() || std::string(end) != "%" || !(percent >= 0 && percent <= 100)) {
    throw InputError(fmt::format("{} {}: expected a share such as 10%", option, text));
  }
  return percent / 100;
}

/// "30min", "90s", "2h", "45" -> seconds.
double seconds_of(const std::string& text) {
  if (text.empty()) return 0;
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(end);
  const double factor = unit.empty() || unit == "s"    ? 1
                        : unit == "min" || unit == "m" ? 60
                        : unit == "h"                  ? 3600
                                                       : 0;
  if (code != std::errc() || factor == 0 || !(value > 0)) {
    throw InputError(fmt::format("--max-time {}: expected a time such as 30min", text));
  }
  return value * factor;
}

void show_damages(const Session& session, const store::VerifyReport& report) {
  for (const store::Damage& damage : report.damages) {
    session.result(fmt::format("{}: {}", damage.file, damage.what));
    for (const std::string& tensor : damage.tensors)
      session.result(fmt::format("  tensor {}", tensor));
  }
}

bool is_complete(const store::VerifyReport& report) {
  return report.files_unread == 0 && report.bytes_unread == 0;
}

/// "all as written", and no more than what was read allows to say.
std::string verdict(const store::VerifyReport& report, bool is_well) {
  std::string text = fmt::format("{} files differ", report.damages.size());
  if (is_well) text = is_complete(report) ? "all as written" : "what was read is as written";
  if (is_complete(report)) return text;
  return text + fmt::format("; {} of {} were not reached, in {} files",
                            human_bytes(report.bytes_unread), human_bytes(report.bytes_total),
                            report.files_unread);
}

Json json_of(const Options& options, const store::VerifyReport& report,
             const pipeline::RecomputeReport& again) {
  Json damages = Json::array();
  for (const store::Damage& d : report.damages)
    damages.push_back({{"file", d.file}, {"what", d.what}, {"tensors", d.tensors}});
  return {{"schema", "koine-verify-1"},
          {"path", options.run},
          {"ok", report.damages.empty() && again.differing.empty()},
          {"files", report.files},
          {"tensors", report.tensors},
          {"bytes", report.bytes},
          {"bytes_total", report.bytes_total},
          {"complete", is_complete(report)},
          {"files_not_reached", report.files_unread},
          {"bytes_not_reached", report.bytes_unread},
          {"damages", damages},
          {"recomputed", again.tensors},
          {"recomputed_by", again.tensors == 0 ? Json() : Json(again.is_by_bits ? "bits" : "band")},
          {"recomputed_differing", again.differing}};
}

ExitCode run_verify(const Session& session, const Options& options) {
  const int threads = options.threads > 0 ? options.threads : default_threads();
  const store::VerifyOptions wanted{
      share_of("--sample", options.sample), seconds_of(options.max_time), threads, {}};
  const store::VerifyReport report = store::verify(options.run, wanted);
  pipeline::RecomputeReport again;
  if (!options.recompute.empty() && report.damages.empty()) {
    again = pipeline::recompute(options.run, share_of("--recompute", options.recompute), threads);
  }
  const bool is_well = report.damages.empty() && again.differing.empty();
  if (options.as_json)
    session.result(json_of(options, report, again).dump());
  else
    show_damages(session, report);
  for (const std::string& name : again.differing)
    session.fail(fmt::format("tensor {}: recomputed {}", name,
                             again.is_by_bits ? "bytes differ" : "entries are out of the band"));
  session.say(
      fmt::format("checked {} files, {} tensors, {} of {}{}: {}", report.files, report.tensors,
                  human_bytes(report.bytes), human_bytes(report.bytes_total),
                  again.tensors > 0 ? fmt::format(", {} tensors merged again", again.tensors) : "",
                  verdict(report, is_well)));
  if (!again.is_by_bits)
    session.say(
        "another kind of machine, or another version, computed this run: pruned matrices were held "
        "against the band (docs/explanation/numerics.md)");
  if (!is_well) {
    session.next(pipeline::merge_command(options.run) +
                 "      # repairs it: only damaged shards are merged again");
    return ExitCode::difference;
  }
  session.next(fmt::format("koine export {0} --format hf --output {0}-hf", options.run));
  if (!options.as_json) session.result(options.run);
  return ExitCode::done;
}

}  // namespace

void add_verify(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, session, "verify", "Re-reads everything a merge wrote and checks it",
                  "koine verify runs/demo");
  command->add_option("RUN", options->run, "A run folder")->required();
  command->add_option("--sample", options->sample, "Read only a share of the bytes")
      ->option_text("10%");
  command
      ->add_option("--max-time", options->max_time,
                   "Stop after this time and say what was not reached")
      ->option_text("30min");
  command
      ->add_option("--recompute", options->recompute,
                   "Also merge a share of the tensors again and compare")
      ->option_text("5%");
  command->add_option("--threads", options->threads, "Threads (default: the cores)")
      ->option_text("N")
      ->check(CLI::Range(1, 4096));
  command->add_flag("--json", options->as_json, "For machines");
  command->callback([&session, options] {
    session.command = [&session, options] { return run_verify(session, *options); };
  });
}

}  // namespace koine::jobs
