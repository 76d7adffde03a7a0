#pragma once

#include <cstdint>
#include <string>

/// Opcodes of pickle protocol 2 as text, to write state dicts and their abuse by hand.
namespace koine::test::pk {

inline const std::string kProto("\x80\x02");

inline std::string little(std::uint64_t number, unsigned size) {
  std::string bytes;
  for (unsigned i = 0; i < size; ++i) bytes += static_cast<char>((number >> (8 * i)) & 0xFFU);
  return bytes;
}
inline std::string text(const std::string& value) {
  return "X" + little(value.size(), 4) + value;
}
inline std::string integer(std::int64_t value) {
  return "\x8a\x08" + little(static_cast<std::uint64_t>(value), 8);
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string storage(const std::string& type, const std::string& key, std::int64_t numel) {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + integer(numel) +
         "tQ";
}
/// `sizes` and `strides`: opcodes inside a tuple.
inline std::string tensor(const std::string& from, std::int64_t offset, const std::string& sizes,
                          const std::string& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + from + integer(offset) + "(" + sizes +
         "t(" + strides + "t\x89}tR";
}
/// {"w": value}
inline std::string state_dict(const std::string& value) {
  return kProto + "}" + text("w") + value + "s.";
}
/// A float32 matrix [2, 3] that fills storage 0.
inline std::string matrix() {
  return tensor(storage("FloatStorage", "0", 6), 0, "K\x02K\x03", "K\x03K\x01");
}

}  // namespace koine::test::pk
