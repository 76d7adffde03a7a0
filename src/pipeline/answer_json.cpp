#include "pipeline/answer_json.hpp"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/json.hpp"

namespace koine::pipeline {
namespace {

/// `text` with null for the literals that Python writes though JSON has none.
std::string with_null_for_non_finite(std::string_view text) {
  constexpr std::array<std::string_view, 3> kLiterals{"-Infinity", "Infinity", "NaN"};
  std::string out;
  out.reserve(text.size());
  bool is_in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    std::string_view put = text.substr(at, 1);
    if (is_in_string && text[at] == '\\') {
      length = 2;
      put = text.substr(at, 2);
    } else if (text[at] == '"') {
      is_in_string = !is_in_string;
    } else if (!is_in_string) {
      for (const std::string_view literal : kLiterals) {
        if (!text.substr(at).starts_with(literal)) continue;
        length = literal.size();
        put = "null";
        break;
      }
    }
    out += put;
    at += length;
  }
  return out;
}

/// Adds the numbers of an object and of the objects in it, `prefix` before their names.
void flatten(const Json& object, const std::string& prefix, Answer& answer,
             const std::string& where) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (value.is_object() && name != "items" && name != "signature")
      flatten(value, name + ".", answer, where);
    if (!value.is_number()) continue;
    const auto number = value.get<double>();
    if (!std::isfinite(number)) continue;
    if (!answer.numbers.emplace(name, number).second)
      throw InputError(fmt::format("{}: two numbers are called '{}'", where, name));
  }
}

std::optional<double> number_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

/// Nothing where the value is no item.
std::optional<EvaluatedItem> item_of(const Json& value, std::size_t place) {
  EvaluatedItem item{.id = std::to_string(place)};
  if (value.is_number()) {
    item.errors = value.get<double>();
    return item;
  }
  const auto errors = value.is_object() ? number_at(value, "errors") : std::nullopt;
  if (!errors) return std::nullopt;
  item.errors = *errors;
  if (value.contains("words")) {
    const auto words = number_at(value, "words");
    if (!words) return std::nullopt;
    item.words = *words;
  }
  if (const auto id = value.find("id"); id != value.end())
    item.id = id->is_string() ? id->get<std::string>() : id->dump();
  return item;
}

void read_items(const Json& list, Answer& answer) {
  constexpr const char* kExpected = "a list of numbers or of {id, errors, words}";
  if (!list.is_array()) {
    answer.message = fmt::format("'items' is left aside: it is not {}", kExpected);
    return;
  }
  for (const Json& value : list) {
    auto item = item_of(value, answer.items.size());
    if (!item) {
      answer.message =
          fmt::format("'items' is left aside: entry {} of it does not fit, expected {}",
                      answer.items.size(), kExpected);
      answer.items.clear();
      return;
    }
    answer.items.push_back(std::move(*item));
  }
}

/// Text as it is; anything else as JSON with sorted keys, so that equal ones compare equal.
std::string signature_of(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  return nlohmann::json::parse(value.dump()).dump();
}

}  // namespace

Answer read_answer_json(std::string_view text, const std::string& where) {
  const Json document = parse_strict_json(with_null_for_non_finite(text), where);
  if (!document.is_object()) {
    throw InputError(
        fmt::format("{}: holds a JSON {}, expected an object such as {{\"wer\": 12.3}}", where,
                    document.type_name()));
  }
  Answer answer;
  flatten(document, "", answer, where);
  if (const auto n = answer.numbers.find("n"); n != answer.numbers.end() && n->second >= 0 &&
                                               n->second <= 9e15 &&
                                               n->second == std::floor(n->second))
    answer.n = static_cast<std::int64_t>(n->second);
  if (document.contains("signature")) answer.signature = signature_of(document["signature"]);
  if (document.contains("items")) read_items(document["items"], answer);
  return answer;
}

}  // namespace koine::pipeline
