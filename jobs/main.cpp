#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "blas_restart.hpp"
#include "commands.hpp"
#include "core/spawn.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "status_beat.hpp"

namespace koine::jobs {
namespace {

constexpr const char* kAbout =
    "Koine merges Whisper language experts into one model.\n\n"
    "  koine synth --model tiny --experts 5 --output demo      # something to merge\n"
    "  koine merge demo/lors.yaml --output runs/demo           # merge it (or: mpirun -n 4 koine "
    "merge …)\n"
    "  koine verify runs/demo                                  # check what was written\n"
    "  koine export runs/demo --format hf --output merged      # a checkpoint that other tools "
    "load\n\n"
    "koine --help lists the commands, koine COMMAND --help explains one.";

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 a fault of koine, 2 input, recipe or command line, 3 device, 4 "
    "communication,\n"
    "5 verification failed or a difference found, 6 storage, 75 stopped early and can be resumed.";

extern "C" void on_signal(int signal) {
  if (stop_requested() && signal == SIGINT) {
    std::signal(signal, SIG_DFL);  // a second Ctrl-C stops at once; Slurm sends TERM and USR1 both
    std::raise(signal);
  }
  request_stop();
}

void add_commands(CLI::App& app, Session& session) {
  add_merge(app, session);
  add_plan(app, session);
  add_export(app, session);
  add_verify(app, session);
  add_inspect(app, session);
  add_diff(app, session);
  add_synth(app, session);
  add_sweep(app, session);
  add_cache(app, session);
  add_submit(app, session);
  add_status(app, session);
  add_bench(app, session);
  add_completion(app, session);
  add_man(app, session);
}

std::vector<std::string> names_of(const CLI::App& app, bool of_options) {
  std::vector<std::string> names;
  if (of_options) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  } else {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(command->get_name());
    }
  }
  return names;
}

/// CLI11's message, with the nearest command or option where a word is not known.
std::string explain(const CLI::App& app, const CLI::Error& error,
                    const std::vector<std::string>& words) {
  const CLI::App* chosen = &app;
  for (const CLI::App* command : app.get_subcommands()) chosen = command;
  const bool is_command = chosen == &app;
  for (const std::string& word : words) {
    const std::string name = word.substr(0, word.find('='));
    if (is_command && !name.starts_with("-")) {
      const auto known = names_of(app, false);
      return fmt::format("unknown command '{}'{}; koine --help lists them", name,
                         did_you_mean(name, known));
    }
    const auto known = names_of(*chosen, true);
    if (name.starts_with("--") && std::find(known.begin(), known.end(), name) == known.end()) {
      return fmt::format("unknown option '{}'{}; see koine {} --help", name,
                         did_you_mean(name, known), chosen->get_name());
    }
  }
  std::string text = error.what();
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return fmt::format("{}; see koine{}{} --help", text, is_command ? "" : " ",
                     is_command ? "" : chosen->get_name());
}

/// "help CMD" and "CMD help"-less spelling: `koine help merge` is `koine merge --help`.
std::vector<std::string> words_of(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return words;
}

/// The command as it can be typed again; Slurm's jobs have their script.
std::string line_of(const std::vector<std::string>& words) {
  const int processes = comm::launched_processes();
  std::string line = processes > 1 ? fmt::format("mpirun -n {} koine", processes) : "koine";
  for (const std::string& word : words) line += " " + shell_word(word);
  return line;
}

/// A command's help with its example, which stands at the head of its footer, moved in front of the
/// options.
std::string help_of(const CLI::App& command) {
  std::string text = command.help("koine");
  const std::string footer = command.get_footer();
  const std::string example = footer.substr(0, footer.find("\n\n") + 2);
  const auto at = text.rfind(example);
  if (at != std::string::npos) text.erase(at, example.size());
  const auto usage = text.find('\n');
  return usage == std::string::npos ? text : text.insert(usage + 1, "\n" + example);
}

/// A place that the file system refuses: the storage's fault where it is full or broken, else the
/// user's.
ExitCode code_of(const std::error_code& code) {
  const bool is_storage = code == std::errc::no_space_on_device || code == std::errc::io_error ||
                          code == std::error_code(EDQUOT, std::generic_category());
  return is_storage ? ExitCode::storage : ExitCode::input;
}

std::string explain(const std::filesystem::filesystem_error& error) {
  const std::string path = error.path1().string();
  return fmt::format("{}: {}; {}", path.substr(0, 200) + (path.size() > 200 ? "…" : ""),
                     error.code().message(),
                     code_of(error.code()) == ExitCode::storage
                         ? "free some space or check the storage, and run the same command again"
                         : "check this path, or name another that exists or can be made");
}

int fail(Session& session, ExitCode code, const std::string& message) {
  if (code == ExitCode::interrupted)
    session.say(message);
  else
    session.fail(message);
  note_ending(session, code, message);
  if (session.processes && session.processes->size() > 1)
    session.processes->abort(static_cast<int>(code));
  return static_cast<int>(code);
}

int run(Session& session) {
  if (!session.shares_work && comm::launched_rank().value != 0) return 0;
  try {
    const ExitCode code = session.command();
    note_ending(session, code, "");
    return static_cast<int>(code);
  } catch (const Error& error) {
    return fail(session, error.code(), error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(session, code_of(error.code()), explain(error));
  } catch (const std::bad_alloc&) {
    return fail(session, ExitCode::our_fault,
                "out of memory; give it less to do at once: --threads 1, or more processes");
  } catch (const std::exception& error) {
    return fail(session, ExitCode::our_fault,
                fmt::format("internal error: {}; please report it with `koine --version --json`",
                            error.what()));
  }
}

int parse_and_run(int argc, char** argv) {
  Session session;
  CLI::App app{kAbout, "koine"};
  app.set_help_flag("-h,--help", "Show this help");
  app.footer(kExitCodes);
  app.require_subcommand(0, 1);
  bool is_version = false, as_json = false;
  app.add_flag("--version", is_version,
               "Show the version (with --json: this build and its libraries)");
  app.add_flag("--json", as_json, "With --version: as JSON");
  add_commands(app, session);
  std::vector<std::string> words = words_of(argc, argv);
  session.typed = line_of(words);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    std::puts((chosen.empty() ? app.help() : help_of(*chosen.front())).c_str());
    return 0;
  } catch (const CLI::Error& error) {
    session.fail(explain(app, error, words));
    return static_cast<int>(ExitCode::input);
  }
  if (is_version) {
    std::fputs(version_text(as_json).c_str(), stdout);
    return 0;
  }
  if (!session.command) {
    std::puts(kAbout);
    return 0;
  }
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGUSR1, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  return run(session);
}

}  // namespace

CLI::App* add_command(CLI::App& app, Session& session, const std::string& name,
                      const std::string& purpose, const std::string& example) {
  CLI::App* command = app.add_subcommand(name, purpose);
  command->footer("Example:\n  " + example + "\n\n" + kExitCodes);
  command->set_help_flag("-h,--help", "Show this help");
  command->add_flag("-q,--quiet", session.is_quiet, "Only errors, warnings and the result");
  command->add_flag("-v,--verbose", session.verbosity, "Say more");
  command->add_option("--color", session.color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->option_text("WHEN");
  return command;
}

DType dtype_option(const std::string& word) {
  if (const auto dtype = from_float_word(word)) return *dtype;
  throw InputError(fmt::format(
      "--dtype {}: expected float32 (fp32), float16 (fp16), bfloat16 (bf16) or float64 (fp64)",
      word));
}

}  // namespace koine::jobs

int main(int argc, char** argv) {
  try {
    koine::jobs::restart_with_better_blas_kernels(argc, argv);
    // Queues of a GPU: three streams a lane, and none is to wait behind another's copy.
    koine::set_for_this_program("CUDA_DEVICE_MAX_CONNECTIONS", "32");
    return koine::jobs::parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "koine: internal error: %s\n", error.what());
    return 1;
  }
}
