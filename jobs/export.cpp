#include "pipeline/export.hpp"

#include <map>
#include <memory>

#include <fmt/format.h>

#include "commands.hpp"
#include "core/text.hpp"

namespace koine::jobs {
namespace {

struct Options {
  pipeline::ExportOptions run;
  std::string dtype, shard_size;
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

ExitCode run(const Session& session, const pipeline::ExportOptions& options) {
  const pipeline::ExportResult made = pipeline::export_run(options);
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
  command->add_option("RUN", options->run.run, "A complete run folder")->required();
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
  command->callback([options, &session] {
    session.command = [options, &session] {
      read_words(*options);
      return run(session, options->run);
    };
  });
}

}  // namespace koine::jobs
