#include "pipeline/synth.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "commands.hpp"
#include "core/text.hpp"

namespace koine::jobs {
namespace {

using Clock = std::chrono::steady_clock;

const std::map<std::string, checkpoint::Naming> kNamings{{"hf", checkpoint::Naming::hf},
                                                         {"openai", checkpoint::Naming::openai}};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A line every 30 seconds, from whichever thread comes by.
std::function<void(std::int64_t, std::int64_t)> heartbeat(const Session& session) {
  struct State {
    std::mutex guard;
    Clock::time_point start = Clock::now(), last = Clock::now();
  };
  return [&session, state = std::make_shared<State>()](std::int64_t done, std::int64_t total) {
    const std::lock_guard lock(state->guard);
    if (seconds_since(state->last) < 30) return;
    state->last = Clock::now();
    session.say(fmt::format("{} of {} made, {}/s", human_bytes(done), human_bytes(total),
                            human_bytes(static_cast<std::int64_t>(static_cast<double>(done) /
                                                                  seconds_since(state->start)))));
  };
}

ExitCode run(const Session& session, const pipeline::SynthOptions& options) {
  const auto start = Clock::now();
  const pipeline::SynthResult made = pipeline::synth(options);
  const std::string folder = options.output.string();
  if (made.was_complete) {
    session.say(fmt::format("{}: already there, made with the same settings", folder));
  } else {
    session.say(fmt::format("{}: a base and {} experts, {} tensors each, {} in {}", folder,
                            options.experts, made.tensors, human_bytes(made.bytes),
                            human_seconds(seconds_since(start))));
  }
  session.next(fmt::format("koine merge {} --output runs/{}", made.recipe.string(),
                           options.output.filename().string()));
  session.result(folder);
  return ExitCode::done;
}

}  // namespace

void add_synth(CLI::App& app, Session& session) {
  auto options = std::make_shared<pipeline::SynthOptions>();
  const auto dtype = std::make_shared<std::string>("float32");
  options->threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  CLI::App* command = add_command(app, session, "synth",
                                  "Makes a synthetic Whisper base and experts to try things on",
                                  "koine synth --model tiny --experts 5 --output demo");
  command
      ->add_option("--model", options->model,
                   "tiny, base, small, medium, large-v2, large-v3, large-v3-turbo, tiny.en …")
      ->capture_default_str()
      ->option_text("SIZE");
  command->add_option("--experts", options->experts, "How many experts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->option_text("N");
  command->add_option("--output", options->output, "Folder to make")
      ->required()
      ->option_text("DIR");
  command
      ->add_option("--layers", options->layers, "Blocks of each stack, instead of the model's own")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  command->add_option("--dtype", *dtype, "fp32 (default), fp16 or bf16")->option_text("DTYPE");
  command
      ->add_option("--naming", options->naming,
                   "hf (default: folders of safetensors) or openai (.pt files)")
      ->transform(CLI::CheckedTransformer(kNamings))
      ->option_text("hf|openai");
  command->add_option("--seed", options->seed, "Other seeds, other numbers")
      ->capture_default_str()
      ->option_text("S");
  command->add_option("--threads", options->threads, "Threads; the bytes do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->option_text("N");
  command->callback([options, dtype, &session] {
    options->say = [&session](const std::string& line) { session.say(line); };
    options->progress = heartbeat(session);
    session.command = [options, dtype, &session] {
      options->dtype = dtype_option(*dtype);
      return run(session, *options);
    };
  });
}

}  // namespace koine::jobs
