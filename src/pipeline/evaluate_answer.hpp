#pragma once

#include <filesystem>
#include <string>

#include "core/file.hpp"
#include "pipeline/answer_json.hpp"

namespace koine::pipeline {

/// The number that is wanted of an answer: one of the two is given, or both.
struct WantedMetric {
  std::string name;   ///< "wer", "languages.ca.wer"
  std::string regex;  ///< its first group finds the number in a line of stdout
};

/// The answer of a command that has ended well: JSON in the file `result` if that is there and not
/// empty, else the last line of its stdout that is a JSON object; the metric by its name there,
/// else by the last match of the regex in stdout. Of stdout the last 16 MiB are read (the regex
/// sees 1 MiB of them, 4 KiB of a line). A bad answer is one without `metric` and with a message.
/// @throws InputError for a bad regex, StorageError
[[nodiscard]] Answer read_answer(const std::filesystem::path& result, const File& output,
                                 const WantedMetric& wanted);

}  // namespace koine::pipeline
