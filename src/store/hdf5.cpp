#include "store/hdf5.hpp"

#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "core/error.hpp"

namespace koine::store {
namespace {

/// Fields of a 16-bit binary float: sign at 15, exponent above the mantissa.
struct HalfFormat {
  std::size_t exponent_bits;
  std::size_t mantissa_bits;
  std::size_t bias;
};
constexpr HalfFormat kBinary16{5, 10, 15};
constexpr HalfFormat kBfloat16{8, 7, 127};

H5Type half_type(const HalfFormat& f) {
  H5Type type(check(H5Tcopy(H5T_IEEE_F32LE), "HDF5", "copying a type"));
  check(H5Tset_fields(type.get(), 15, f.mantissa_bits, f.exponent_bits, 0, f.mantissa_bits), "HDF5",
        "setting the fields of a type");
  check(H5Tset_size(type.get(), 2), "HDF5", "setting the size of a type");
  check(H5Tset_ebias(type.get(), f.bias), "HDF5", "setting the bias of a type");
  return type;
}

H5Type bool_type() {
  H5Type type(check(H5Tenum_create(H5T_STD_I8LE), "HDF5", "creating a type"));
  const std::int8_t no = 0, yes = 1;
  check(H5Tenum_insert(type.get(), "FALSE", &no), "HDF5", "naming a value");
  check(H5Tenum_insert(type.get(), "TRUE", &yes), "HDF5", "naming a value");
  return type;
}

hid_t standard_type(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return H5T_IEEE_F64LE;
    case DType::f32:
      return H5T_IEEE_F32LE;
    case DType::i64:
      return H5T_STD_I64LE;
    case DType::i32:
      return H5T_STD_I32LE;
    case DType::i16:
      return H5T_STD_I16LE;
    case DType::i8:
      return H5T_STD_I8LE;
    case DType::u64:
      return H5T_STD_U64LE;
    case DType::u32:
      return H5T_STD_U32LE;
    case DType::u16:
      return H5T_STD_U16LE;
    default:
      return H5T_STD_U8LE;
  }
}

herr_t keep_first(unsigned index, const H5E_error2_t* entry, void* out) {
  if (index == 0 && entry->desc != nullptr) *static_cast<std::string*>(out) = entry->desc;
  return 0;
}

}  // namespace

void quiet_hdf5() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

std::string hdf5_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  for (char& c : reason) {
    if (c == '\n') c = ' ';
  }
  return reason.empty() ? "no reason given" : reason;
}

long long check_hdf5(long long status, const std::string& path, const char* doing) {
  if (status >= 0) return status;
  throw StorageError(fmt::format("{}: {} failed in HDF5: {}", path, doing, hdf5_reason()));
}

H5Type file_type(DType dtype) {
  if (dtype == DType::f16) return half_type(kBinary16);
  if (dtype == DType::bf16) return half_type(kBfloat16);
  if (dtype == DType::boolean) return bool_type();
  return H5Type(check(H5Tcopy(standard_type(dtype)), "HDF5", "copying a type"));
}

H5Space file_space(const Shape& shape) {
  if (shape.size() > H5S_MAX_RANK) {
    throw InputError(
        fmt::format("a tensor has {} axes, HDF5 holds at most {}", shape.size(), H5S_MAX_RANK));
  }
  if (shape.empty()) return H5Space(check(H5Screate(H5S_SCALAR), "HDF5", "creating a space"));
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  return H5Space(check(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                       "HDF5", "creating a space"));
}

}  // namespace koine::store
