#pragma once

#include <string>
#include <utility>
#include <vector>

namespace koine::pipeline {

/// Names and what stands for them in a command.
using CommandValues = std::vector<std::pair<std::string, std::string>>;

/// The command with every {name} replaced, each value as one word of the shell whatever it holds,
/// also between quotes. {{name}} is the text {name}; ${name}, comments and braces around anything
/// that is no plain name stay as they are, as do unknown names with dots. In here-documents and
/// arithmetic $KOINE_NAME serves.
/// @throws InputError on a name without a value (with the nearest one), a NUL character
[[nodiscard]] std::string expand_command(const std::string& command, const CommandValues& values);

/// What expand_command would say of a command with these names and `result`, before there are
/// values. @throws InputError
void check_command(const std::string& command, const std::vector<std::string>& known_names);

/// "NAME=value" with the prefix KOINE_, upper case, _ for what is neither letter nor digit.
[[nodiscard]] std::string environment_entry(const std::string& name, const std::string& value);

}  // namespace koine::pipeline
