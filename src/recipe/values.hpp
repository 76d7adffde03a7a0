#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recipe/document.hpp"
#include "recipe/problems.hpp"
#include "recipe/recipe.hpp"

namespace koine::recipe {

/// Which numbers a key takes.
struct NumberRange {
  double low;
  double high;
  bool is_whole = false;
  bool is_low_allowed = true;
  bool is_high_allowed = true;
  std::string_view expected;  ///< "a number from 0 to 1"
  [[nodiscard]] bool holds(double value) const;
};

/// A scalar's number: decimal, finite or not; nothing where the text is no number.
[[nodiscard]] std::optional<double> number_of(const Node& node);

/// "weight is 'x', expected a finite number"; lists and maps are named as such.
[[nodiscard]] std::string mismatch(std::string_view label, const Node& node,
                                   std::string_view expected);

/// The readers below add a problem and return nothing where the value does not fit; `label` names
/// it in the message.
[[nodiscard]] std::optional<double> read_number(const Node& node, std::string_view label,
                                                const NumberRange& range, Problems& problems);
/// true, false, yes, no, on, off (any case), 1, 0, 1.0, 0.0.
[[nodiscard]] std::optional<bool> read_boolean(const Node& node, std::string_view label,
                                               Problems& problems);
/// A whole number from 0 to 2^64 - 1: a seed.
[[nodiscard]] std::optional<std::uint64_t> read_seed(const Node& node, std::string_view label,
                                                     Problems& problems);
[[nodiscard]] std::optional<std::string> read_text(const Node& node, std::string_view label,
                                                   Problems& problems);
/// The index of the word among `words`.
[[nodiscard]] std::optional<std::size_t> read_word(const Node& node, std::string_view label,
                                                   const std::vector<std::string>& words,
                                                   Problems& problems);
/// A scalar, a gradient or [{filter, value}] entries. Entries after one that fits everything are
/// dropped.
[[nodiscard]] std::optional<ParameterValue> read_parameter(const Node& node, std::string_view label,
                                                           const NumberRange& range,
                                                           Problems& problems);
/// A number (or gradient, or filter list) of triplets, "1%" of the width, or {energy: 0.5}.
[[nodiscard]] std::optional<RankValue> read_rank(const Node& node, std::string_view label,
                                                 Problems& problems);

/// One number everywhere.
[[nodiscard]] ParameterValue constant(double value);
/// True where some entry fits every tensor.
[[nodiscard]] bool is_total(const ParameterValue& value);
/// `first`, then `second` for the tensors that no entry of `first` fits.
[[nodiscard]] ParameterValue completed(ParameterValue first, const ParameterValue& second);

/// The shortest text of a number that reads back as the same double: "0.2", "7", "1e-06".
[[nodiscard]] std::string number_text(double value);
/// "1%": the shortest percentage that reads back as this share.
[[nodiscard]] std::string percent_text(double share);

}  // namespace koine::recipe
