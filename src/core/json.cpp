#include "core/json.hpp"

#include <set>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"

namespace koine {
namespace {

constexpr int kDeepest = 16;

/// Watches the parser's events: depth and repeated keys.
class Guard {
 public:
  explicit Guard(const std::string& where) : where_(where) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& value) {
    if (depth > kDeepest)
      throw InputError(fmt::format("{}: JSON is nested deeper than {} levels", where_, kDeepest));
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys_.back().insert(value.get<std::string>()).second) {
      throw InputError(fmt::format("{}: key '{}' stands twice in one JSON object", where_,
                                   value.get<std::string>()));
    }
    return true;
  }

 private:
  const std::string& where_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Json parse_strict_json(std::string_view text, const std::string& where) {
  if (text.find('\0') != std::string_view::npos) {  // the parser would take it for the end
    throw InputError(fmt::format("{}: is not valid JSON (it holds a NUL byte)", where));
  }
  Guard guard(where);
  try {
    return Json::parse(text, [&guard](int depth, Json::parse_event_t event, Json& value) {
      return guard(depth, event, value);
    });
  } catch (const nlohmann::json::exception& error) {
    std::string reason = error.what();
    if (const auto bracket = reason.find("] "); bracket != std::string::npos)
      reason = reason.substr(bracket + 2);
    throw InputError(fmt::format("{}: is not valid JSON ({})", where, reason));
  }
}

std::string to_text(const Json& document) {
  return document.dump(2) + "\n";
}

std::string to_piece(const Json& value, int depth) {
  const std::string text = value.dump(2);
  const std::string margin(2 * static_cast<std::size_t>(depth), ' ');
  std::string piece;
  piece.reserve(text.size());
  for (const char c : text) {  // strings hold no line break: JSON escapes it
    piece += c;
    if (c == '\n') piece += margin;
  }
  return piece;
}

}  // namespace koine
