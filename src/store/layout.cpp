#include "store/layout.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "store/hdf5.hpp"

namespace koine::store {
namespace {

constexpr hsize_t kPage = 4096;
constexpr std::size_t kLongestName = 1024;

void check_name(const std::string& name) {
  const bool is_plain = !name.empty() && name != "." && name != ".." &&
                        name.find('/') == std::string::npos &&
                        name.find('\0') == std::string::npos && name.size() <= kLongestName;
  if (is_plain) return;
  throw InputError(fmt::format(
      "tensor '{}': the name cannot be written to HDF5; expected 1 to {} characters without "
      "'/'; rename the tensor in the base",
      name.substr(0, 80), kLongestName));
}

H5List property_list(hid_t kind) {
  return H5List(check(H5Pcreate(kind), "HDF5", "creating a property list"));
}

H5List without_times(hid_t kind) {
  H5List list = property_list(kind);
  check(H5Pset_obj_track_times(list.get(), false), "HDF5", "switching time stamps off");
  return list;
}

H5File create_file(const LayoutImage& image) {
  const H5List access = property_list(H5P_FILE_ACCESS);
  // The default driver resolves symbolic links, which a file without a name does not survive.
  check(H5Pset_fapl_stdio(access.get()), "HDF5", "choosing the file driver");
  check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18), "HDF5",
        "setting the format version");
  check(H5Pset_alignment(access.get(), kPage, kPage), "HDF5", "setting the alignment");
  check(H5Pset_file_locking(access.get(), false, true), "HDF5", "switching file locks off");
  const H5List creation = without_times(H5P_FILE_CREATE);
  return H5File(check(H5Fcreate(image.path().c_str(), H5F_ACC_TRUNC, creation.get(), access.get()),
                      "HDF5", "creating a file in memory"));
}

H5Group create_tensors_group(const H5File& file) {
  const H5List creation = without_times(H5P_GROUP_CREATE);
  return H5Group(check(H5Gcreate2(file.get(), "tensors", H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                       "HDF5", "creating the group 'tensors'"));
}

void put_attribute(const H5File& file, const char* name, const H5Type& type, const void* value) {
  const H5Space space(check(H5Screate(H5S_SCALAR), "HDF5", "creating a space"));
  const H5Attribute attribute(
      check(H5Acreate2(file.get(), name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), "HDF5",
            "creating an attribute"));
  check(H5Awrite(attribute.get(), type.get(), value), "HDF5", "writing an attribute");
}

void put_text(const H5File& file, const char* name, const std::string& text) {
  const H5Type type(check(H5Tcopy(H5T_C_S1), "HDF5", "copying a type"));
  check(H5Tset_size(type.get(), H5T_VARIABLE), "HDF5", "setting the size of a type");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "HDF5", "setting the character set");
  const char* words = text.c_str();
  put_attribute(file, name, type, &words);
}

void put_version(const H5File& file) {
  const std::int64_t version = kFormatVersion;
  put_attribute(file, "version", file_type(DType::i64), &version);
}

H5List contiguous_and_early() {
  H5List list = without_times(H5P_DATASET_CREATE);
  check(H5Pset_layout(list.get(), H5D_CONTIGUOUS), "HDF5", "setting the layout");
  check(H5Pset_alloc_time(list.get(), H5D_ALLOC_TIME_EARLY), "HDF5", "setting the allocation time");
  check(H5Pset_fill_time(list.get(), H5D_FILL_TIME_NEVER), "HDF5", "setting the fill time");
  return list;
}

std::int64_t create_dataset(const H5Group& group, const H5List& creation,
                            const ShardTensor& tensor) {
  const H5Dataset dataset(
      check(H5Dcreate2(group.get(), tensor.name.c_str(), file_type(tensor.dtype).get(),
                       file_space(tensor.shape).get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
            tensor.name, "creating the dataset"));
  if (tensor.bytes() == 0) return 0;
  const haddr_t offset = H5Dget_offset(dataset.get());
  if (offset == HADDR_UNDEF) throw StorageError(tensor.name + ": HDF5 gave the dataset no place");
  return static_cast<std::int64_t>(offset);
}

std::vector<std::int64_t> lay_out(const LayoutImage& image, const std::string& shard,
                                  const std::vector<ShardTensor>& tensors) {
  const H5File file = create_file(image);
  put_text(file, "format", "koine-shard");
  put_version(file);
  put_text(file, "shard", shard);
  const H5Group group = create_tensors_group(file);
  const H5List creation = contiguous_and_early();
  std::vector<std::int64_t> offsets;
  offsets.reserve(tensors.size());
  for (const ShardTensor& tensor : tensors)
    offsets.push_back(create_dataset(group, creation, tensor));
  check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), shard, "flushing the layout");
  return offsets;
}

}  // namespace

ShardLayout lay_out_shard(const std::string& shard, const std::vector<ShardTensor>& tensors) {
  quiet_hdf5();
  for (const ShardTensor& tensor : tensors) check_name(tensor.name);
  ShardLayout layout;
  layout.offsets = lay_out(layout.image, shard, tensors);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (layout.offsets[i] + tensors[i].bytes() <= layout.image.size()) continue;
    throw StorageError(fmt::format("{}: HDF5 laid out {} bytes, too few for tensor '{}'", shard,
                                   layout.image.size(), tensors[i].name));
  }
  return layout;
}

LayoutImage lay_out_master(const std::vector<ManifestTensor>& tensors) {
  quiet_hdf5();
  LayoutImage image;
  const H5File file = create_file(image);
  put_text(file, "format", "koine-run");
  put_version(file);
  const H5Group group = create_tensors_group(file);
  for (const ManifestTensor& tensor : tensors) {
    check_name(tensor.name);
    check(H5Lcreate_external(tensor.shard.c_str(), ("/tensors/" + tensor.name).c_str(), group.get(),
                             tensor.name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
          tensor.name, "creating the link");
  }
  check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "model.h5", "flushing the links");
  return image;
}

}  // namespace koine::store
