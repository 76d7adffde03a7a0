#include "checkpoint/pickle.hpp"

#include <bit>

#include <fmt/format.h>

#include "checkpoint/little_endian.hpp"
#include "checkpoint/pickle_objects.hpp"
#include "checkpoint/pickle_stack.hpp"
#include "core/error.hpp"

namespace koine::checkpoint::pickle {
namespace {

constexpr std::size_t kLongestName = 256;

class Machine {
 public:
  explicit Machine(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] Document run() {
    if (byte() != 0x80) throw Fault("does not begin with a protocol");
    protocol_ = byte();
    if (protocol_ < 2 || protocol_ > 5)
      throw Fault(fmt::format("has protocol {}, expected 2 to 5", protocol_));
    while (true) {
      start_ = at_;
      const unsigned opcode = byte();
      if (opcode == '.') break;
      if (!constant(opcode) && !text(opcode) && !container(opcode) && !object(opcode)) {
        throw Fault(fmt::format("opcode 0x{:02x} has no place in a checkpoint", opcode));
      }
    }
    if (at_ != bytes_.size())
      throw Fault(fmt::format("{} bytes follow its end", bytes_.size() - at_));
    return std::move(stack_).finish();
  }

  [[nodiscard]] std::size_t start() const noexcept { return start_; }

 private:
  // Bytes.
  std::string_view take(std::size_t count) {
    if (count > bytes_.size() - at_) throw Fault("is cut short");
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  unsigned byte() { return static_cast<unsigned char>(take(1)[0]); }
  template <typename Number>
  Number number() {
    return load_little<Number>(take(sizeof(Number)), 0);
  }
  std::string_view line() {
    const std::size_t end = bytes_.substr(at_, kLongestName + 1).find('\n');
    if (end == std::string_view::npos) throw Fault("holds a name without an end");
    return take(end + 1).substr(0, end);
  }

  bool constant(unsigned opcode);
  bool text(unsigned opcode);
  bool container(unsigned opcode);
  bool object(unsigned opcode);
  void push_text(std::size_t length);
  void frame();
  std::int64_t long1();

  std::string_view bytes_;
  std::size_t at_ = 0, start_ = 0;
  unsigned protocol_ = 0;
  Stack stack_;
};

bool Machine::constant(unsigned opcode) {
  switch (opcode) {
    case 'N':
      stack_.push_new(None{});
      return true;
    case 0x88:
      stack_.push_new(true);
      return true;
    case 0x89:
      stack_.push_new(false);
      return true;
    case 'J':
      stack_.push_new(std::int64_t{number<std::int32_t>()});
      return true;
    case 'K':
      stack_.push_new(std::int64_t{number<std::uint8_t>()});
      return true;
    case 'M':
      stack_.push_new(std::int64_t{number<std::uint16_t>()});
      return true;
    case 0x8A:
      stack_.push_new(long1());
      return true;
    case 'G':
      stack_.push_new(std::bit_cast<double>(__builtin_bswap64(number<std::uint64_t>())));
      return true;
    default:
      return false;
  }
}

bool Machine::text(unsigned opcode) {
  switch (opcode) {
    case 'X':
      push_text(number<std::uint32_t>());
      return true;
    case 'U':
    case 0x8C:
      push_text(byte());
      return true;
    case 'q':
      stack_.remember(byte());
      return true;
    case 'r':
      stack_.remember(number<std::uint32_t>());
      return true;
    case 0x94:
      stack_.remember_next();
      return true;
    case 'h':
      stack_.recall(byte());
      return true;
    case 'j':
      stack_.recall(number<std::uint32_t>());
      return true;
    case 0x95:
      frame();
      return true;
    default:
      return false;
  }
}

bool Machine::container(unsigned opcode) {
  switch (opcode) {
    case '(':
      stack_.mark();
      return true;
    case '}':
      stack_.push_new(Dict{});
      return true;
    case ']':
      stack_.push_new(List{});
      return true;
    case ')':
    case 0x8F:
      stack_.push_new(Tuple{});
      return true;  // an empty set can never be filled here
    case 't':
      stack_.push_tuple(stack_.pop_to_mark());
      return true;
    case 0x85:
    case 0x86:
    case 0x87:
      stack_.push_tuple(stack_.pop_many(opcode - 0x84));
      return true;
    case 's':
      stack_.set_items(stack_.pop_many(2));
      return true;
    case 'u':
      stack_.set_items(stack_.pop_to_mark());
      return true;
    case 'a':
      stack_.append(stack_.pop_many(1));
      return true;
    case 'e':
      stack_.append(stack_.pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool Machine::object(unsigned opcode) {
  switch (opcode) {
    case 'c': {
      const std::string_view module = line();
      stack_.push_global(module, line());
      return true;
    }
    case 0x93:
      stack_.push_stacked_global();
      return true;
    case 'Q':
      stack_.push_storage();
      return true;
    case 'R':
      stack_.reduce(false);
      return true;
    case 0x81:
      stack_.reduce(true);
      return true;
    case 'b':
      stack_.build();
      return true;
    default:
      return false;
  }
}

/// Python's strings are UTF-8 here; whether they are is checked where they become names.
void Machine::push_text(std::size_t length) {
  if (length > kLongestString)
    throw Fault(
        fmt::format("holds a string of {} bytes, at most {} expected", length, kLongestString));
  stack_.push_new(std::string(take(length)));
}

void Machine::frame() {
  const auto length = number<std::uint64_t>();
  if (protocol_ < 4 || length > bytes_.size() - at_) throw Fault("holds a frame that does not fit");
}

std::int64_t Machine::long1() {
  const std::string_view digits = take(byte());
  if (digits.size() > 8) throw Fault("holds an integer of more than 64 bits");
  const bool is_negative =
      !digits.empty() && (static_cast<unsigned char>(digits.back()) & 0x80U) != 0;
  std::uint64_t value = is_negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = digits.size(); i-- > 0;)
    value = (value << 8U) | static_cast<unsigned char>(digits[i]);
  return static_cast<std::int64_t>(value);
}

}  // namespace

Document parse(std::string_view bytes, const std::string& where) {
  if (static_cast<std::int64_t>(bytes.size()) > kLargestPickle) {
    throw InputError(
        fmt::format("{}: has {} bytes, at most {} expected", where, bytes.size(), kLargestPickle));
  }
  Machine machine(bytes);
  try {
    return machine.run();
  } catch (const Fault& fault) {
    throw InputError(fmt::format("{}: at byte {}: {}", where, machine.start(), fault.what()));
  }
}

}  // namespace koine::checkpoint::pickle
