#include <memory>

#include <fmt/format.h>

#include "command_table.hpp"
#include "commands.hpp"
#include "version.hpp"

namespace koine::jobs {
namespace {

/// Text for roff: hyphens stay hyphens, lines do not begin with a dot.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '-')
      out += "\\-";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

std::string page(const std::vector<CommandRow>& table) {
  std::string text = fmt::format(
      ".TH KOINE 1 \"\" \"koine {}\"\n.SH NAME\nkoine \\- merges Whisper language experts into one "
      "model\n"
      ".SH SYNOPSIS\n.B koine\nCOMMAND [OPTIONS]\n.SH COMMANDS\n",
      build::kVersion);
  for (const CommandRow& row : table) {
    text += fmt::format(".SS {}", row.name);
    for (const OptionRow& positional : row.positionals) text += " " + positional.value;
    text += fmt::format("\n{}.\n.PP\n.B {}\n", roff(row.purpose), roff(row.example));
    for (const OptionRow& option : row.options) {
      text += fmt::format(".TP\n.B {}{}{}\n{}\n", roff(option.long_name),
                          option.short_name.empty() ? "" : ", " + roff(option.short_name),
                          option.value.empty() ? "" : " " + option.value, roff(option.purpose));
    }
  }
  return text +
         ".SH EXIT STATUS\n0 done, 1 a fault of koine, 2 input, recipe or command line, 3 device, "
         "4 communication, "
         "5 verification failed or a difference found, 6 storage, 75 stopped early and can be "
         "resumed\n";
}

}  // namespace

void add_man(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, session, "man", "Prints the man page", "koine man > koine.1");
  command->callback([&app, &session] {
    session.command = [&app, &session] {
      std::string text = page(command_table(app));
      text.pop_back();
      session.result(text);
      return ExitCode::done;
    };
  });
}

}  // namespace koine::jobs
