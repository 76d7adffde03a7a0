#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace koine::jobs {

struct OptionRow {
  std::string long_name, short_name, value,
      purpose;  ///< "--output", "-o", "DIR", "The run folder …"
};

/// The one table that help, completions and man pages are made from: read off the parser itself.
struct CommandRow {
  std::string name, purpose, example;
  std::vector<OptionRow> options;      ///< by name
  std::vector<OptionRow> positionals;  ///< in order; long_name is empty, value is the name
  [[nodiscard]] std::vector<std::string> option_names() const;
  /// One text per option: `format` with its long name and its purpose (quotes and brackets made
  /// harmless).
  [[nodiscard]] std::vector<std::string> each_option(const char* format) const;
};

[[nodiscard]] std::vector<CommandRow> command_table(const CLI::App& app);

}  // namespace koine::jobs
