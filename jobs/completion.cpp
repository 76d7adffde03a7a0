#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "command_table.hpp"
#include "commands.hpp"

namespace koine::jobs {
namespace {

std::string for_bash(const std::vector<CommandRow>& table) {
  std::string names, cases;
  for (const CommandRow& row : table) {
    names += (names.empty() ? "" : " ") + row.name;
    cases +=
        fmt::format("    {}) options=\"{}\" ;;\n", row.name, fmt::join(row.option_names(), " "));
  }
  return fmt::format(
      "# koine completion bash > /etc/bash_completion.d/koine\n"
      "_koine() {{\n  local options=\"\" word=\"${{COMP_WORDS[COMP_CWORD]}}\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W \"{} help --version --help\" "
      "-- \"$word\")); return; fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  if [[ \"$word\" == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$word\")); else "
      "COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
      "}}\ncomplete -o filenames -F _koine koine\n",
      names, cases);
}

std::string for_zsh(const std::vector<CommandRow>& table) {
  std::string names, cases;
  for (const CommandRow& row : table) {
    names += fmt::format("    '{}:{}'\n", row.name, row.purpose);
    cases += fmt::format("    {}) _arguments {} '*:file:_files' ;;\n", row.name,
                         fmt::join(row.each_option("'{}[{}]'"), " "));
  }
  return fmt::format(
      "#compdef koine\n_koine() {{\n  local -a commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  case $words[2] in\n{}  esac\n}}\n_koine \"$@\"\n",
      names, cases);
}

std::string for_fish(const std::vector<CommandRow>& table) {
  std::string text;
  for (const CommandRow& row : table) {
    text += fmt::format("complete -c koine -n __fish_use_subcommand -a {} -d '{}'\n", row.name,
                        row.purpose);
    for (const OptionRow& option : row.options) {
      if (option.long_name.empty()) continue;
      text += fmt::format("complete -c koine -n '__fish_seen_subcommand_from {}' -l {} -d '{}'\n",
                          row.name, option.long_name.substr(2), option.purpose);
    }
  }
  return text;
}

}  // namespace

void add_completion(CLI::App& app, Session& session) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = add_command(app, session, "completion", "Prints completions for a shell",
                                  "koine completion bash > koine.bash");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, &session, shell] {
    session.command = [&app, &session, shell] {
      const auto table = command_table(app);
      std::string text = *shell == "bash"  ? for_bash(table)
                         : *shell == "zsh" ? for_zsh(table)
                                           : for_fish(table);
      text.pop_back();
      session.result(text);
      return ExitCode::done;
    };
  });
}

}  // namespace koine::jobs
