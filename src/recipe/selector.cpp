#include "recipe/selector.hpp"

#include <optional>
#include <regex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/names.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "recipe/problems.hpp"
#include "recipe/selector_word.hpp"

namespace koine::recipe {
namespace {

constexpr std::size_t kLongestPattern = 256;
constexpr std::size_t kLongestName = 512;

bool is_regex(std::string_view word) {
  return word.size() >= 2 && word.front() == '/' && word.back() == '/';
}

/// Matching takes polynomial time and no recursion where the library offers it, so that no pattern
/// can hang a run.
#ifdef __GLIBCXX__
constexpr auto kSyntax =
    std::regex::ECMAScript | std::regex::nosubs | std::regex_constants::__polynomial;
#else
constexpr auto kSyntax = std::regex::ECMAScript | std::regex::nosubs;
#endif

std::regex compile(const std::string& word) {
  return std::regex(word.substr(1, word.size() - 2), kSyntax);
}

/// One word of `select`, ready to match.
struct Pattern {
  std::uint32_t role = 0;
  std::string glob;
  std::optional<std::regex> regex;

  [[nodiscard]] bool matches(std::string_view name) const {
    if (!regex) return glob_matches(glob, name);
    return name.size() <= kLongestName && std::regex_match(name.begin(), name.end(), *regex);
  }
};

}  // namespace

std::string selector_problem(const std::string& word) {
  if (word.empty()) return "an empty word; write a role, a glob or a /regex/";
  if (word.size() > kLongestPattern) {
    return fmt::format("{} has {} characters, at most {} are taken", shown(word), word.size(),
                       kLongestPattern);
  }
  if (is_regex(word)) {
    try {
      static_cast<void>(compile(word));
      return {};
    } catch (const std::regex_error& error) {
      return fmt::format("{} is no regular expression ({})", shown(word), error.what());
    }
  }
  if (checkpoint::role_from_word(word) != 0 || word.find_first_of("*?[.") != std::string::npos)
    return {};
  const auto roles = checkpoint::role_words();
  const std::string guess = did_you_mean(word, roles);
  if (!guess.empty()) return fmt::format("{} is no role{}", shown(word), guess);
  return fmt::format("{} is no role; roles are {}; a glob looks like \"*.{}.*\"", shown(word),
                     fmt::join(roles, ", "), shown(word).substr(1, shown(word).size() - 2));
}

struct Selector::State {
  std::vector<std::string> words;
  std::vector<Pattern> patterns;
};

Selector::Selector(const std::vector<std::string>& words) : state_(std::make_unique<State>()) {
  state_->words = words;
  for (const std::string& word : words) {
    const std::string problem = selector_problem(word);
    if (!problem.empty()) throw InputError("select: " + problem);
    Pattern pattern{.role = checkpoint::role_from_word(word), .glob = word, .regex = std::nullopt};
    if (is_regex(word)) pattern.regex = compile(word);
    state_->patterns.push_back(std::move(pattern));
  }
}

Selector::~Selector() = default;
Selector::Selector(Selector&&) noexcept = default;
Selector& Selector::operator=(Selector&&) noexcept = default;

std::vector<std::size_t> Selector::hits(std::string_view openai_name,
                                        std::string_view hf_name) const {
  const std::uint32_t roles = checkpoint::roles_of(openai_name);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < state_->patterns.size(); ++i) {
    const Pattern& pattern = state_->patterns[i];
    const bool is_hit = pattern.role != 0
                            ? (roles & pattern.role) != 0
                            : pattern.matches(openai_name) || pattern.matches(hf_name);
    if (is_hit) found.push_back(i);
  }
  return found;
}

const std::vector<std::string>& Selector::words() const noexcept {
  return state_->words;
}

}  // namespace koine::recipe
