#pragma once

#include <cstdio>
#include <string>

#include <hdf5.h>

#include "core/dtype.hpp"
#include "core/shape.hpp"
#include "core/unique_handle.hpp"

/// The only door to libhdf5 (serial). It lays files out and checks them; payload never passes
/// through it. The library has one global lock: calls from several threads are safe and run one
/// after the other.
namespace koine::store {

template <herr_t (*Close)(hid_t)>
struct H5Traits {
  using Raw = hid_t;
  static Raw null() noexcept { return H5I_INVALID_HID; }
  static void destroy(Raw raw) noexcept {
    if (Close(raw) < 0) std::fputs("koine: HDF5: close failed\n", stderr);
  }
};
using H5File = UniqueHandle<H5Traits<H5Fclose>>;
using H5Group = UniqueHandle<H5Traits<H5Gclose>>;
using H5Dataset = UniqueHandle<H5Traits<H5Dclose>>;
using H5Space = UniqueHandle<H5Traits<H5Sclose>>;
using H5Type = UniqueHandle<H5Traits<H5Tclose>>;
using H5List = UniqueHandle<H5Traits<H5Pclose>>;
using H5Attribute = UniqueHandle<H5Traits<H5Aclose>>;

/// Silences libhdf5's own messages in this thread and refuses filter plug-ins. Call first in
/// whatever uses HDF5.
void quiet_hdf5();

/// "no space left" …: the innermost line of this thread's HDF5 error stack.
[[nodiscard]] std::string hdf5_reason();

/// Passes a status on; a negative one is thrown with `doing` and the error stack's innermost line.
/// @throws StorageError
long long check_hdf5(long long status, const std::string& path, const char* doing);
template <typename Status>
Status check(Status status, const std::string& path, const char* doing) {
  return static_cast<Status>(check_hdf5(status, path, doing));
}

/// Little-endian type of a dataset. fp16: IEEE binary16; bf16: the upper half of binary32; bool:
/// the enumeration {FALSE = 0, TRUE = 1} over int8 that h5py reads as numpy's bool.
[[nodiscard]] H5Type file_type(DType dtype);

/// Simple space of that shape; a scalar for []. @throws InputError above HDF5's 32 axes
[[nodiscard]] H5Space file_space(const Shape& shape);

}  // namespace koine::store
