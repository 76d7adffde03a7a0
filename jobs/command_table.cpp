#include "command_table.hpp"

#include <fmt/format.h>

namespace koine::jobs {
namespace {

OptionRow row_of(const CLI::Option& option) {
  OptionRow row;
  if (!option.get_lnames().empty()) row.long_name = "--" + option.get_lnames().front();
  if (!option.get_snames().empty()) row.short_name = "-" + option.get_snames().front();
  row.value = option.get_positional() ? option.get_name(true) : option.get_option_text();
  row.purpose = option.get_description();
  return row;
}

std::string example_of(const CLI::App& command) {
  const std::string footer = command.get_footer();
  const auto start = footer.find("  "), end = footer.find("\n\n");
  return start == std::string::npos ? std::string() : footer.substr(start + 2, end - start - 2);
}

std::string harmless(std::string text) {
  for (char& c : text) {
    if (c == '\'' || c == '[' || c == ']' || c == ':') c = ' ';
  }
  return text;
}

}  // namespace

std::vector<std::string> CommandRow::option_names() const {
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const OptionRow& option : options) names.push_back(option.long_name);
  return names;
}

std::vector<std::string> CommandRow::each_option(const char* format) const {
  std::vector<std::string> texts;
  texts.reserve(options.size());
  for (const OptionRow& option : options)
    texts.push_back(fmt::format(fmt::runtime(format), option.long_name, harmless(option.purpose)));
  return texts;
}

std::vector<CommandRow> command_table(const CLI::App& app) {
  std::vector<CommandRow> table;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    CommandRow row{command->get_name(), command->get_description(), example_of(*command), {}, {}};
    for (const CLI::Option* option : command->get_options()) {
      (option->get_positional() ? row.positionals : row.options).push_back(row_of(*option));
    }
    table.push_back(std::move(row));
  }
  return table;
}

}  // namespace koine::jobs
