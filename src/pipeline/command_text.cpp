#include "pipeline/command_text.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace koine::pipeline {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_in_name(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '.';
}

/// The name in a "{name}" that begins at `at`; empty where none does.
std::string_view braced_name(std::string_view text, std::size_t at) {
  if (at >= text.size() || text[at] != '{') return {};
  std::size_t end = at + 1;
  while (end < text.size() && is_in_name(text[end])) ++end;
  const std::string_view name = text.substr(at + 1, end - at - 1);
  const bool is_closed = end < text.size() && text[end] == '}';
  if (!is_closed || name.empty() || is_digit(name[0]) || name[0] == '.') return {};
  return name;
}

[[noreturn]] void throw_unknown(std::string_view name, const CommandValues& values) {
  std::vector<std::string> names;
  for (const auto& [known, value] : values) names.push_back(known);
  throw InputError(fmt::format(
      "evaluate.command: unknown placeholder {{{}}}{}; known are {}; write {{{{{}}}}} for braces "
      "that are the command's own",
      name, did_you_mean(name, names), fmt::join(names, ", "), name));
}

/// Walks over a command as the shell would, so that it knows which quotes a placeholder stands in.
class Expander {
 public:
  Expander(std::string_view text, const CommandValues& values) : text_(text), values_(values) {}

  std::string expand() {
    while (at_ < text_.size()) {
      if (!replace()) step();
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] char top() const { return open_.empty() ? ' ' : open_.back(); }
  [[nodiscard]] char before() const { return at_ == 0 ? '\n' : text_[at_ - 1]; }

  void copy(std::size_t count) {
    out_ += text_.substr(at_, count);
    at_ += count;
  }

  /// A placeholder or its doubled form at this place; false where there is neither.
  bool replace() {
    if (text_[at_] != '{' || before() == '$') return false;
    const std::string_view inner = braced_name(text_, at_ + 1);
    if (is_ours(inner) && text_.substr(at_ + 2 + inner.size(), 2) == "}}") {
      out_ += fmt::format("{{{}}}", inner);
      at_ += inner.size() + 4;
      return true;
    }
    const std::string_view name = braced_name(text_, at_);
    if (!is_ours(name)) return false;
    const std::string* value = find(name);
    if (value == nullptr) throw_unknown(name, values_);
    put(*value);
    at_ += name.size() + 2;
    return true;
  }

  /// The last value of that name; null where there is none.
  [[nodiscard]] const std::string* find(std::string_view name) const {
    const auto found = std::find_if(values_.rbegin(), values_.rend(),
                                    [name](const auto& value) { return value.first == name; });
    return found == values_.rend() ? nullptr : &found->second;
  }

  /// A name with dots ("svd.mode") may as well be a member in the command's own language.
  [[nodiscard]] bool is_ours(std::string_view name) const {
    return !name.empty() && (name.find('.') == std::string_view::npos || find(name) != nullptr);
  }

  /// Appends a value so that the shell reads it as it is.
  void put(const std::string& value) {
    const bool is_plain = top() != '"' && top() != '\'';
    if (is_plain) out_ += '\'';
    for (const char c : value) {
      if (top() == '"' && std::string_view("\\\"$`").find(c) != std::string_view::npos)
        out_ += '\\';
      if (top() != '"' && c == '\'')
        out_ += R"('\'')";
      else
        out_ += c;
    }
    if (is_plain) out_ += '\'';
  }

  /// Copies what is no placeholder and notes which quotes open and close.
  void step() {
    const char c = text_[at_];
    const bool is_quote = c == '"' || c == '`';
    const bool opens_group = c == '(' && (top() != '"' || before() == '$');
    if (top() == '\'') {
      if (c == '\'') open_.pop_back();
    } else if (c == '\\') {
      return copy(2);
    } else if (is_quote && c == top()) {
      open_.pop_back();
    } else if (is_quote || opens_group) {
      open_ += c;
    } else if (top() != '"') {
      step_outside_quotes(c);
    }
    copy(1);
  }

  void step_outside_quotes(char c) {
    if (c == '\'') open_ += c;
    if (c == ')' && top() == '(') open_.pop_back();
    if (c == '#' && std::string_view(" \t\n;|&(`").find(before()) != std::string_view::npos)
      copy(std::min(text_.find('\n', at_), text_.size()) - at_ - 1);  // a comment's quotes are text
  }

  std::string_view text_;
  const CommandValues& values_;
  std::size_t at_ = 0;
  std::string open_;  ///< quotes and parentheses around this place, innermost last
  std::string out_;
};

}  // namespace

std::string expand_command(const std::string& command, const CommandValues& values) {
  if (command.find('\0') != std::string::npos)
    throw InputError("evaluate.command: holds a NUL character, which no shell takes");
  for (const auto& [name, value] : values) {
    if (value.find('\0') != std::string::npos)
      throw InputError(fmt::format(
          "evaluate.command: the value of {{{}}} holds a NUL character, which no shell takes",
          name));
  }
  return Expander(command, values).expand();
}

void check_command(const std::string& command, const std::vector<std::string>& known_names) {
  CommandValues values;
  for (const std::string& name : known_names) values.emplace_back(name, "");
  values.emplace_back("result", "");
  (void)expand_command(command, values);
}

std::string environment_entry(const std::string& name, const std::string& value) {
  std::string entry = "KOINE_";
  for (const char c : name) {
    if (c >= 'a' && c <= 'z')
      entry += static_cast<char>(c - 'a' + 'A');
    else
      entry += is_letter(c) || is_digit(c) ? c : '_';
  }
  return entry + "=" + value;
}

}  // namespace koine::pipeline
