#include "recipe/document.hpp"

#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "recipe/document_builder.hpp"

namespace koine::recipe {
namespace {

/// yaml-cpp takes some control characters for the end of the input, which would drop the rest
/// silently.
void refuse_what_is_no_text(const std::string& text, std::size_t source, Problems& problems) {
  Place place{source, 1, 1};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(std::string_view(text).substr(at));
    if (length == 0) problems.fail(place, "is not UTF-8 text");
    if (is_control(text[at]) && text[at] != '\r') {
      problems.fail(place, fmt::format("control character 0x{:02X}; the file is plain text",
                                       static_cast<unsigned char>(text[at])));
    }
    ++place.column;
    if (text[at] == '\n') place = {source, place.line + 1, 1};
    at += length;
  }
}

std::string explain(const std::string& reason) {
  if (reason.find("anchor is not defined") != std::string::npos) {
    return reason + " (a glob that begins with '*' needs quotes: \"*.fc1.weight\")";
  }
  return reason;
}

}  // namespace

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7F;
}

std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0), second = byte(1);
  const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool is_overlong = first == 0xE0 && second < 0xA0,
               is_surrogate = first == 0xED && second >= 0xA0;
    return follows(1) && follows(2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (first < 0xF0 || first > 0xF4) return 0;
  const bool is_overlong = first == 0xF0 && second < 0x90,
             is_beyond = first == 0xF4 && second >= 0x90;
  return follows(1) && follows(2) && follows(3) && !is_overlong && !is_beyond ? 4 : 0;
}

const Node* Node::find(std::string_view key) const {
  for (const Field& field : fields) {
    if (field.key == key) return field.value.is_null() ? nullptr : &field.value;
  }
  return nullptr;
}

Node parse_document(const std::string& text, std::size_t source, Problems& problems) {
  refuse_what_is_no_text(text, source, problems);
  DocumentBuilder builder(source, problems);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return Node{.fields = {}, .place = {source, 1, 1}};
    Node root = builder.take();
    if (parser.HandleNextDocument(builder)) {
      problems.fail(builder.take().place, "a second YAML document; the file holds one");
    }
    return root;
  } catch (const YAML::Exception& error) {
    problems.fail(builder.place_of(error.mark), "is not valid YAML: " + explain(error.msg));
  }
}

}  // namespace koine::recipe
