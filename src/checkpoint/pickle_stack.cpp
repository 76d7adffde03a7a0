#include "checkpoint/pickle_stack.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "checkpoint/pickle_objects.hpp"

namespace koine::checkpoint::pickle {
namespace {

/// For messages: at most 80 bytes, nothing that could steer a terminal.
std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 80)) shown += c >= 0x20 && c < 0x7F ? c : '?';
  return shown;
}

void check_limit(std::size_t count, std::size_t limit, std::string_view what) {
  if (count > limit) throw Fault(fmt::format("has more than {} {}", limit, what));
}

}  // namespace

void Stack::push(Ref ref) {
  check_limit(stack_.size() + 1, kMostValues, "values on the stack");
  stack_.push_back(ref);
}

void Stack::push_new(Value value, std::size_t depth) {
  check_limit(document_.values.size() + 1, kMostValues, "values");
  document_.values.push_back(std::move(value));
  depths_.push_back(static_cast<std::uint8_t>(depth));
  push(static_cast<Ref>(document_.values.size() - 1));
}

void Stack::push_global(std::string_view module, std::string_view name) {
  const auto token = allowed(module, name);
  if (!token) {
    const std::string_view advice =
        module == "torch" ? "convert the tensors to float32, float16 or bfloat16"
                          : "save the state dict alone: torch.save(model.state_dict(), ...)";
    throw Fault(
        fmt::format("asks for '{}.{}', which no Whisper checkpoint needs and Koine never runs; {}",
                    printable(module), printable(name), advice));
  }
  push_new(*token);
}

void Stack::push_stacked_global() {
  const Ref name = pop(), module = pop();
  push_global(as<std::string>(module, "a string"), as<std::string>(name, "a string"));
}

void Stack::push_storage() {
  document_.storages.push_back(storage_of(document_, pop()));
  push_new(StorageRef{document_.storages.size() - 1});
}

void Stack::push_tuple(std::vector<Ref> items) {
  const std::size_t depth = depth_with(items, 1);
  push_new(Tuple{std::move(items)}, depth);
}

void Stack::mark() {
  check_limit(marks_.size() + 1, kDeepest, "open groups");
  marks_.push_back(stack_.size());
}

std::vector<Ref> Stack::pop_to_mark() {
  if (marks_.empty()) throw Fault("closes a group that was not opened");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Ref> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

std::vector<Ref> Stack::pop_many(std::size_t count) {
  std::vector<Ref> items(count);
  for (std::size_t i = count; i-- > 0;) items[i] = pop();
  return items;
}

void Stack::set_items(const std::vector<Ref>& pairs) {
  const Ref target = top();
  Dict& dict = as<Dict>(target, "a dict");
  if (pairs.size() % 2 != 0) throw Fault("sets a key without a value");
  depths_[target] = depth_with(pairs, depths_[target]);
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const Value& key = document_.values[pairs[i]];
    if (!std::holds_alternative<std::string>(key) && !std::holds_alternative<std::int64_t>(key)) {
      throw Fault(fmt::format("uses {} as a key, expected a string or an integer", kind_of(key)));
    }
    dict.items.emplace_back(pairs[i], pairs[i + 1]);
  }
}

void Stack::append(const std::vector<Ref>& items) {
  const Ref target = top();
  List& list = as<List>(target, "a list");
  depths_[target] = depth_with(items, depths_[target]);
  list.items.insert(list.items.end(), items.begin(), items.end());
}

void Stack::reduce(bool is_class) {
  const Ref arguments = pop(), callee = pop();
  const Token token = as<Token>(callee, "one of torch's own names");
  if (is_class && token.name != Name::ordered_dict && token.name != Name::size) {
    throw Fault("makes an object of a function");
  }
  const Tuple& tuple = as<Tuple>(arguments, "a tuple of arguments");
  if (const auto same = passed_through(document_, token, tuple)) return push(*same);
  push_new(call(document_, token, tuple), depths_[arguments]);
}

/// State dicts carry `_metadata` as an attribute of their OrderedDict.
void Stack::build() {
  const Ref state = pop();
  (void)as<Dict>(state, "a dict of attributes");
  (void)as<Dict>(top(), "an OrderedDict");
}

void Stack::remember(std::size_t key) {
  check_limit(memo_.size() + 1, kMostValues, "remembered values");
  memo_[key] = top();
}

void Stack::recall(std::size_t key) {
  const auto at = memo_.find(key);
  if (at == memo_.end()) throw Fault(fmt::format("recalls value {}, which it never kept", key));
  push(at->second);
}

Document Stack::finish() && {
  if (!marks_.empty() || stack_.size() != 1) {
    throw Fault(fmt::format("ends with {} values and {} open groups, expected one value",
                            stack_.size(), marks_.size()));
  }
  document_.root = stack_.front();
  return std::move(document_);
}

Ref Stack::top() const {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) {
    throw Fault("takes a value from an empty stack");
  }
  return stack_.back();
}

Ref Stack::pop() {
  const Ref ref = top();
  stack_.pop_back();
  return ref;
}

template <typename T>
T& Stack::as(Ref ref, std::string_view expected) {
  T* value = std::get_if<T>(&document_.values[ref]);
  if (value == nullptr) {
    throw Fault(fmt::format("works on {}, expected {}", kind_of(document_.values[ref]), expected));
  }
  return *value;
}

/// The depth of a container of `depth` once it holds `items`, which are counted.
std::uint8_t Stack::depth_with(const std::vector<Ref>& items, std::size_t depth) {
  items_ += items.size();
  check_limit(items_, kMostValues, "items");
  for (const Ref item : items) depth = std::max(depth, depths_[item] + std::size_t{1});
  check_limit(depth, kDeepest, "levels");
  return static_cast<std::uint8_t>(depth);
}

std::string_view kind_of(const Value& value) noexcept {
  constexpr std::string_view kKinds[] = {"None",     "a bool",    "an integer", "a float",
                                         "a string", "a list",    "a tuple",    "a dict",
                                         "a name",   "a storage", "a tensor"};
  static_assert(std::size(kKinds) == std::variant_size_v<Value>);
  return kKinds[value.index()];
}

}  // namespace koine::checkpoint::pickle
