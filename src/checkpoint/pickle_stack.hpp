#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint/pickle.hpp"

namespace koine::checkpoint::pickle {

/// Stack, memo and values of the machine: what opcodes do once their bytes are read. Every operand
/// is checked for its type and every quantity against its limit; all functions throw Fault.
class Stack {
 public:
  void push_new(Value value, std::size_t depth = 0);  ///< `depth`: levels of containers below it
  void push_global(std::string_view module, std::string_view name);
  void push_stacked_global();  ///< module and name lie on the stack
  void push_storage();         ///< a persistent id lies on the stack
  void push_tuple(std::vector<Ref> items);
  void mark();
  [[nodiscard]] std::vector<Ref> pop_to_mark();
  [[nodiscard]] std::vector<Ref> pop_many(std::size_t count);  ///< never below the last mark

  void set_items(const std::vector<Ref>& pairs);  ///< of the dict on top: key, value, key, value …
  void append(const std::vector<Ref>& items);     ///< to the list on top
  void reduce(bool is_class);  ///< callee and its tuple of arguments lie on the stack
  void build();                ///< attributes of an OrderedDict: checked and dropped

  void remember(std::size_t key);
  void remember_next() { remember(memo_.size()); }
  void recall(std::size_t key);

  [[nodiscard]] Document finish() &&;  ///< one value must be left, no mark

 private:
  void push(Ref ref);
  [[nodiscard]] Ref top() const;
  Ref pop();
  template <typename T>
  [[nodiscard]] T& as(Ref ref, std::string_view expected);
  [[nodiscard]] std::uint8_t depth_with(const std::vector<Ref>& items, std::size_t depth);

  Document document_;
  std::vector<std::uint8_t>
      depths_;  ///< of document_.values; a lower bound where containers grow later
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::size_t, Ref> memo_;
  std::size_t items_ = 0;  ///< of all containers together
};

}  // namespace koine::checkpoint::pickle
