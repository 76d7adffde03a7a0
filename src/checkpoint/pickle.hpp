#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/dtype.hpp"
#include "core/shape.hpp"

/// What a pickle of torch.save holds, read without ever importing or calling anything: a stack
/// machine that knows the opcodes of protocols 2 to 5 which state dicts need and a dozen names.
namespace koine::checkpoint::pickle {

using Ref = std::uint32_t;  ///< index into Document::values

/// The names that may stand in a pickle. They are inert: nothing of Python runs.
enum class Name : std::uint8_t {
  ordered_dict,
  size,
  rebuild_tensor_v2,
  rebuild_tensor_v3,
  rebuild_parameter,
  storage_class,  ///< torch.FloatStorage …; torch.storage.UntypedStorage without a dtype
  dtype,          ///< torch.float32 …
};

struct None {};
struct Token {
  Name name = Name::dtype;
  std::optional<DType> dtype;
};
struct List {
  std::vector<Ref> items;
};
struct Tuple {
  std::vector<Ref> items;
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;  ///< keys are str or int; a repeated key stands twice
};
struct StorageRef {
  std::size_t index = 0;  ///< into Document::storages
};
struct TensorRef {
  std::size_t index = 0;  ///< into Document::tensors
};
using Value = std::variant<None, bool, std::int64_t, double, std::string, List, Tuple, Dict, Token,
                           StorageRef, TensorRef>;

struct Storage {
  std::optional<DType> dtype;  ///< none: untyped, counted in bytes
  std::string key;             ///< its entry is data/<key>
  std::int64_t numel = 0;
  [[nodiscard]] std::int64_t bytes() const noexcept {
    return numel * (dtype ? size_of(*dtype) : 1);
  }
};

/// A view of a storage; every element lies inside it.
struct Tensor {
  std::size_t storage = 0;  ///< into Document::storages
  DType dtype = DType::f32;
  std::int64_t offset = 0;  ///< in elements
  Shape shape;
  std::vector<std::int64_t> strides;  ///< in elements, none negative
};

/// Values refer to each other by index, so that neither cycles nor depth matter when they are
/// walked or freed.
struct Document {
  std::vector<Value> values;
  std::vector<Storage> storages;
  std::vector<Tensor> tensors;
  Ref root = 0;

  /// The value as a T, or null where it is something else.
  template <typename T>
  [[nodiscard]] const T* get(Ref ref) const noexcept {
    return std::get_if<T>(&values[ref]);
  }
};

inline constexpr std::int64_t kLargestPickle = std::int64_t{64} << 20;  ///< bytes
inline constexpr std::size_t kLongestString = std::size_t{64} << 10;    ///< bytes
inline constexpr std::size_t kMostValues =
    2'000'000;  ///< also of memo entries and of container items
inline constexpr std::size_t kMostTensors = 100'000;
inline constexpr std::size_t kDeepest = 64;  ///< levels of containers, and of open marks
inline constexpr std::size_t kMostAxes = 64;

/// Reads one pickle, which fills `bytes` to the last. Memory is bounded by the limits above, time
/// is linear.
/// @throws InputError that begins with `where` and names the byte; a forbidden name is shown
[[nodiscard]] Document parse(std::string_view bytes, const std::string& where);

/// What kind of value this is, for messages: "a dict", "a tensor", …
[[nodiscard]] std::string_view kind_of(const Value& value) noexcept;

}  // namespace koine::checkpoint::pickle
