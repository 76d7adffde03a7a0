#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace koine::recipe {

/// `select`: roles, globs and /regexes/ over tensors. A glob or regex matches the OpenAI or the HF
/// name, whole.
class Selector {
 public:
  /// @throws InputError for a word that is neither a role nor a pattern (with the nearest role), or
  /// a bad regex
  explicit Selector(const std::vector<std::string>& words);
  ~Selector();
  Selector(Selector&&) noexcept;
  Selector& operator=(Selector&&) noexcept;

  /// Indices of the words that select this tensor.
  [[nodiscard]] std::vector<std::size_t> hits(std::string_view openai_name,
                                              std::string_view hf_name) const;
  [[nodiscard]] const std::vector<std::string>& words() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace koine::recipe
