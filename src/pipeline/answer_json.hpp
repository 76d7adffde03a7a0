#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace koine::pipeline {

/// One utterance: `errors` of `words`.
struct EvaluatedItem {
  std::string id;  ///< its place in the list where the answer names none
  double errors = 0;
  double words = 1;
};

/// What an evaluation says of one checkpoint.
struct Answer {
  std::optional<double> metric;           ///< the number that was asked for; finite
  std::map<std::string, double> numbers;  ///< all finite numbers outside of lists and `items`, by
                                          ///< their path: "languages.ca.wer"
  std::string signature;                  ///< normaliser, data, decoding; not text: its JSON
  std::optional<std::int64_t> n;          ///< utterances or words, as the command counts
  std::vector<EvaluatedItem> items;       ///< all or none
  std::string message;  ///< one line: why there is no metric; with one: what was left aside
};

/// Reads a JSON object: any numbers in it, `n`, `signature`, and `items`: a list of numbers or of
/// {id, errors, words}. NaN and Infinity, as Python writes them, are no numbers. Leaves `metric`
/// to the caller. @throws InputError that begins with `where`
[[nodiscard]] Answer read_answer_json(std::string_view text, const std::string& where);

}  // namespace koine::pipeline
