#include "pipeline/export.hpp"

#include <map>
#include <memory>

#include <fmt/format.h>

#include "commands.hpp"
#include "core/text.hpp"
#include "pipeline/export_point.hpp"
#include "recipe_options.hpp"

namespace koine::jobs {
namespace {

struct Options {
  pipeline::ExportOptions run;
  std::string dtype, shard_size, cache;
  int threads = 0;
};

void read_words(Options& options) {
  if (!options.dtype.empty()) options.run.dtype = dtype_option(options.dtype);
  if (options.shard_size.empty()) return;
  const auto bytes = parse_bytes(options.shard_size);
  if (!bytes || *bytes <= 0)
    throw InputError(
        fmt::format("--shard-size {}: expected a size such as 5GB", options.shard_size));
  options.run.shard_bytes = *bytes;
}

/// A run folder, or a sweep's point, which is merged again first.
pipeline::ExportResult export_it(const Options& options) {
  if (pipeline::split_point(options.run.run).second.empty())
    return pipeline::export_run(options.run);
  pipeline::SweepOptions how;
  how.threads = options.threads > 0 ? options.threads : default_threads();
  how.cache = options.cache;
  pipeline::Progress progress;
  return pipeline::export_point(options.run, how, progress);
}

ExitCode run(const Session& session, const Options& all) {
  const pipeline::ExportOptions& options = all.run;
  const pipeline::ExportResult made = export_it(all);
  for (const std::string& warning : made.warnings) session.warn(warning);
  const std::string folder = options.output.string();
  session.say(fmt::format("{}: {} tensors, {} in {} files, all checked against the run's manifest",
                          folder, made.tensors, human_bytes(made.bytes), made.files.size()));
  session.next(
      options.format == checkpoint::Naming::hf
          ? fmt::format(
                "python3 -c \"from transformers import WhisperForConditionalGeneration as W; "
                "W.from_pretrained('{}')\"",
                folder)
          : fmt::format("python3 -c \"import whisper; whisper.load_model('{}/model.pt')\"",
                        folder));
  session.result(folder);
  return ExitCode::done;
}

}  // namespace

void add_export(CLI::App& app, Session& session) {
  static const std::map<std::string, checkpoint::Naming> kFormats{
      {"hf", checkpoint::Naming::hf}, {"openai", checkpoint::Naming::openai}};
  auto options = std::make_shared<Options>();
  CLI::App* command = add_command(app, session, "export",
                                  "Writes a complete run as a checkpoint that other tools load",
                                  "koine export runs/five --format hf --output exported/five");
  command
      ->add_option("RUN", options->run.run,
                   "A complete run folder, or a sweep's point: runs/sweep#17")
      ->required();
  command
      ->add_option("--format", options->run.format,
                   "hf (a folder for transformers) or openai (model.pt)")
      ->required()
      ->transform(CLI::CheckedTransformer(kFormats))
      ->option_text("hf|openai");
  command->add_option("--output", options->run.output, "Folder to make")
      ->required()
      ->option_text("DIR");
  command
      ->add_option("--dtype", options->dtype,
                   "Round the stored values again (out_dtype in the recipe rounds once)")
      ->option_text("DTYPE");
  command->add_option("--shard-size", options->shard_size, "hf: largest weight file (default 5GB)")
      ->option_text("SIZE");
  command
      ->add_option(
          "--cache", options->cache,
          "Of a point: where its factors are (default: $KOINE_CACHE, else the sweep's own)")
      ->option_text("DIR")
      ->envname("KOINE_CACHE");
  command->add_option("--threads", options->threads, "Of a point: threads of its merge")
      ->option_text("N")
      ->check(CLI::Range(1, 4096));
  command->callback([options, &session] {
    session.command = [options, &session] {
      read_words(*options);
      return run(session, *options);
    };
  });
}

}  // namespace koine::jobs
