#include "pipeline/inspect.hpp"

#include <memory>

#include "commands.hpp"

namespace koine::jobs {

void add_inspect(CLI::App& app, Session& session) {
  struct Options {
    std::string path;
    bool as_json = false, with_tensors = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, session, "inspect",
                  "Shows what a checkpoint or run folder holds (headers alone are read)",
                  "koine inspect checkpoints/whisper-small");
  command->add_option("PATH", options->path, "A checkpoint or run folder")->required();
  command->add_flag("--json", options->as_json, "As JSON");
  command->add_flag("--tensors", options->with_tensors, "List every tensor");
  command->callback([options, &session] {
    session.command = [options, &session] {
      const checkpoint::Checkpoint found = checkpoint::open(options->path);
      std::string text = options->as_json ? pipeline::inspect_json(found, options->with_tensors)
                                          : pipeline::inspect_text(found, options->with_tensors);
      text.pop_back();
      session.result(text);
      return ExitCode::done;
    };
  });
}

}  // namespace koine::jobs
