#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "comm/communicator.hpp"
#include "core/error.hpp"

namespace koine::jobs {

/// What every command shares: how much it says and where, who works with it, and what main() runs
/// after parsing. Results go to stdout, all else to stderr; only the root process speaks.
class Session {
 public:
  bool is_quiet = false;
  int verbosity = 0;
  std::string color = "auto";

  bool shares_work =
      false;  ///< the command divides its work among processes; else the root alone does it

  std::string typed;  ///< the command as a line for sh: "koine merge lors.yaml -o runs/five"
  std::filesystem::path
      work;  ///< the folder that says how this command goes; empty before it is known

  std::function<ExitCode()> command;              ///< set by the chosen subcommand's callback
  std::unique_ptr<comm::Communicator> processes;  ///< opened by commands that work on many tensors

  /// How processes find each other, and how long one may be silent.
  struct Meeting {
    std::string transport = "auto";
    bool may_use_gpus = true;  ///< where the transport is left to us
    double stall_seconds = 60;
  };
  /// Opens the communicator; after it only the root speaks.
  comm::Communicator& open(const Meeting& meeting);

  void say(const std::string& line) const;      ///< stderr, unless quiet
  void detail(const std::string& line) const;   ///< stderr, only with -v
  void warn(const std::string& line) const;     ///< stderr, "warning: …", even when quiet
  void next(const std::string& command) const;  ///< stderr: "next: …", unless quiet
  void result(const std::string& text) const;   ///< stdout, a line. @throws StorageError
  void fail(const std::string& message)
      const;  ///< stderr: "koine: …" (with the rank where there are several)

  [[nodiscard]] bool is_root() const;
  [[nodiscard]] bool use_color()
      const;  ///< stderr is a terminal, or --color=always; NO_COLOR and TERM=dumb say no
};

}  // namespace koine::jobs
