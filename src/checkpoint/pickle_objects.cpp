#include "checkpoint/pickle_objects.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace koine::checkpoint::pickle {
namespace {

struct Row {
  std::string_view module, name;
  Token token;
};

constexpr std::array<Row, 35> kAllowed{{
    {"collections", "OrderedDict", {Name::ordered_dict, {}}},
    {"torch", "Size", {Name::size, {}}},
    {"torch._utils", "_rebuild_tensor_v2", {Name::rebuild_tensor_v2, {}}},
    {"torch._utils", "_rebuild_tensor_v3", {Name::rebuild_tensor_v3, {}}},
    {"torch._utils", "_rebuild_parameter", {Name::rebuild_parameter, {}}},
    {"torch", "DoubleStorage", {Name::storage_class, DType::f64}},
    {"torch", "FloatStorage", {Name::storage_class, DType::f32}},
    {"torch", "HalfStorage", {Name::storage_class, DType::f16}},
    {"torch", "BFloat16Storage", {Name::storage_class, DType::bf16}},
    {"torch", "LongStorage", {Name::storage_class, DType::i64}},
    {"torch", "IntStorage", {Name::storage_class, DType::i32}},
    {"torch", "ShortStorage", {Name::storage_class, DType::i16}},
    {"torch", "CharStorage", {Name::storage_class, DType::i8}},
    {"torch", "ByteStorage", {Name::storage_class, DType::u8}},
    {"torch", "BoolStorage", {Name::storage_class, DType::boolean}},
    {"torch.storage", "UntypedStorage", {Name::storage_class, {}}},
    {"torch", "UntypedStorage", {Name::storage_class, {}}},
    {"torch", "float64", {Name::dtype, DType::f64}},
    {"torch", "double", {Name::dtype, DType::f64}},
    {"torch", "float32", {Name::dtype, DType::f32}},
    {"torch", "float", {Name::dtype, DType::f32}},
    {"torch", "float16", {Name::dtype, DType::f16}},
    {"torch", "half", {Name::dtype, DType::f16}},
    {"torch", "bfloat16", {Name::dtype, DType::bf16}},
    {"torch", "int64", {Name::dtype, DType::i64}},
    {"torch", "long", {Name::dtype, DType::i64}},
    {"torch", "int32", {Name::dtype, DType::i32}},
    {"torch", "int", {Name::dtype, DType::i32}},
    {"torch", "int16", {Name::dtype, DType::i16}},
    {"torch", "int8", {Name::dtype, DType::i8}},
    {"torch", "uint64", {Name::dtype, DType::u64}},
    {"torch", "uint32", {Name::dtype, DType::u32}},
    {"torch", "uint16", {Name::dtype, DType::u16}},
    {"torch", "uint8", {Name::dtype, DType::u8}},
    {"torch", "bool", {Name::dtype, DType::boolean}},
}};

/// Arguments of a call or parts of a persistent id, each taken as the type it must have.
class Arguments {
 public:
  Arguments(const Document& document, const Tuple& tuple, std::string_view what)
      : document_(document), items_(tuple.items), what_(what) {}

  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] const Value& at(std::size_t index) const { return document_.values[items_[index]]; }

  template <typename T>
  [[nodiscard]] const T& as(std::size_t index, std::string_view expected) const {
    const T* value = std::get_if<T>(&at(index));
    if (value == nullptr) {
      throw Fault(fmt::format("part {} of {} is {}, expected {}", index, what_, kind_of(at(index)),
                              expected));
    }
    return *value;
  }

  [[nodiscard]] std::vector<std::int64_t> sizes(std::size_t index) const {
    const Tuple& tuple = as<Tuple>(index, "a tuple of integers");
    if (tuple.items.size() > kMostAxes)
      throw Fault(fmt::format("{} has {} axes", what_, tuple.items.size()));
    std::vector<std::int64_t> numbers;
    for (const Ref item : tuple.items) {
      const auto* number = document_.get<std::int64_t>(item);
      if (number == nullptr || *number < 0) {
        throw Fault(
            fmt::format("part {} of {} holds something else than integers >= 0", index, what_));
      }
      numbers.push_back(*number);
    }
    return numbers;
  }

 private:
  const Document& document_;
  const std::vector<Ref>& items_;
  std::string_view what_;
};

/// Every element of the view lies in the storage: offset + sum((size - 1) * stride) < numel.
void check_view(const Tensor& tensor, std::int64_t numel) {
  const auto count = checked_numel(tensor.shape);
  if (!count || tensor.offset < 0 || tensor.strides.size() != tensor.shape.size()) {
    throw Fault("a tensor has an impossible shape, offset or number of strides");
  }
  std::int64_t last = tensor.offset;
  for (std::size_t axis = 0; axis < tensor.shape.size() && *count > 0; ++axis) {
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(tensor.shape[axis] - 1, tensor.strides[axis], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      throw Fault("a tensor has impossible strides");
    }
  }
  if (*count > 0 ? last >= numel : last > numel) {
    throw Fault(fmt::format("a tensor of shape {} leaves its storage of {} elements",
                            to_string(tensor.shape), numel));
  }
  if (*count > numel) {
    throw Fault(fmt::format(
        "a tensor of shape {} is an expanded view of only {} elements; save its .clone()",
        to_string(tensor.shape), numel));
  }
}

/// (storage, offset, size, stride, requires_grad, hooks[, dtype][, metadata])
Value rebuild_tensor(Document& document, const Arguments& arguments, bool has_dtype) {
  const std::size_t fixed = has_dtype ? 7 : 6;
  if (arguments.size() != fixed && arguments.size() != fixed + 1) {
    throw Fault(fmt::format("a tensor is rebuilt from {} parts, expected {} or {}",
                            arguments.size(), fixed, fixed + 1));
  }
  if (document.tensors.size() >= kMostTensors) {
    throw Fault(fmt::format("has more than {} tensors", kMostTensors));
  }
  Tensor tensor;
  tensor.storage = arguments.as<StorageRef>(0, "a storage").index;
  const Storage& storage = document.storages[tensor.storage];
  tensor.offset = arguments.as<std::int64_t>(1, "an integer");
  tensor.shape = arguments.sizes(2);
  tensor.strides = arguments.sizes(3);
  (void)arguments.as<bool>(4, "a bool");
  if (!std::holds_alternative<None>(arguments.at(5)))
    (void)arguments.as<Dict>(5, "a dict of hooks");
  if (has_dtype) {
    const Token& token = arguments.as<Token>(6, "a dtype");
    if (token.name != Name::dtype || !token.dtype || storage.dtype)
      throw Fault("a tensor of the new kind lacks its dtype or untyped storage");
    tensor.dtype = *token.dtype;
  } else {
    if (!storage.dtype) throw Fault("a tensor without a dtype has an untyped storage");
    tensor.dtype = *storage.dtype;
  }
  if (arguments.size() > fixed && !std::holds_alternative<None>(arguments.at(fixed)) &&
      !arguments.as<Dict>(fixed, "a dict").items.empty()) {
    throw Fault("a tensor carries metadata (a conjugate or negative view); save its .clone()");
  }
  check_view(tensor, storage.dtype ? storage.numel : storage.numel / size_of(tensor.dtype));
  document.tensors.push_back(std::move(tensor));
  return TensorRef{document.tensors.size() - 1};
}

}  // namespace

std::optional<Token> allowed(std::string_view module, std::string_view name) {
  const auto* row = std::find_if(kAllowed.begin(), kAllowed.end(), [&](const Row& r) {
    return r.module == module && r.name == name;
  });
  return row != kAllowed.end() ? std::optional(row->token) : std::nullopt;
}

Storage storage_of(const Document& document, Ref persistent_id) {
  const auto* tuple = document.get<Tuple>(persistent_id);
  if (tuple == nullptr || tuple->items.size() != 5)
    throw Fault("a persistent id is no tuple of five parts");
  const Arguments parts(document, *tuple, "a persistent id");
  if (parts.as<std::string>(0, "'storage'") != "storage")
    throw Fault("a persistent id is not that of a storage");
  const Token& type = parts.as<Token>(1, "a storage class");
  if (type.name != Name::storage_class)
    throw Fault("part 1 of a persistent id is no storage class");
  (void)parts.as<std::string>(3, "a device");
  Storage storage{type.dtype, parts.as<std::string>(2, "a key"),
                  parts.as<std::int64_t>(4, "a number of elements")};
  if (storage.numel < 0 || storage.numel > (std::int64_t{1} << 58)) {
    throw Fault(fmt::format("a storage is said to have {} elements", storage.numel));
  }
  return storage;
}

std::optional<Ref> passed_through(const Document& document, const Token& token,
                                  const Tuple& arguments) {
  const Arguments parts(document, arguments,
                        token.name == Name::size ? "torch.Size" : "a parameter");
  const std::size_t expected = token.name == Name::size ? 1 : 3;
  if (token.name != Name::size && token.name != Name::rebuild_parameter) return std::nullopt;
  if (parts.size() != expected) {
    throw Fault(fmt::format("calls with {} arguments, expected {}", parts.size(), expected));
  }
  if (token.name == Name::size)
    (void)parts.as<Tuple>(0, "a tuple");
  else
    (void)parts.as<TensorRef>(0, "a tensor");
  return arguments.items.front();
}

Value call(Document& document, const Token& token, const Tuple& arguments) {
  switch (token.name) {
    case Name::ordered_dict:
      if (!arguments.items.empty())
        throw Fault("an OrderedDict is made from arguments, expected none");
      return Dict{};
    case Name::rebuild_tensor_v2:
    case Name::rebuild_tensor_v3:
      return rebuild_tensor(document, {document, arguments, "a tensor"},
                            token.name == Name::rebuild_tensor_v3);
    default:
      throw Fault("calls a storage class or a dtype");
  }
}

}  // namespace koine::checkpoint::pickle
