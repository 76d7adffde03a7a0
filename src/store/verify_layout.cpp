#include "store/verify_layout.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "store/hdf5.hpp"

namespace koine::store {
namespace {

H5File open_file(const std::filesystem::path& path) {
  quiet_hdf5();
  const H5List access(check(H5Pcreate(H5P_FILE_ACCESS), path.string(), "creating a property list"));
  check(H5Pset_file_locking(access.get(), false, true), path.string(), "switching file locks off");
  return H5File(
      check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), path.string(), "opening"));
}

H5L_info_t link_info(hid_t at, const std::string& name, const std::string& file) {
  H5L_info_t info{};
  check(H5Lget_info(at, name.c_str(), &info, H5P_DEFAULT), file, "finding a link");
  return info;
}

/// The group /tensors, which must be a hard link and hold `expected` links.
H5Group open_tensors(const H5File& file, const std::string& path, std::size_t expected) {
  if (link_info(file.get(), "tensors", path).type != H5L_TYPE_HARD)
    throw VerifyError("'/tensors' is no hard link");
  H5Group group(check(H5Gopen2(file.get(), "tensors", H5P_DEFAULT), path, "opening '/tensors'"));
  H5G_info_t info{};
  check(H5Gget_info(group.get(), &info), path, "counting links");
  if (info.nlinks == expected) return group;
  throw VerifyError(fmt::format("'/tensors' has {} links, expected {}", info.nlinks, expected));
}

std::string trouble_of_storage(const H5Dataset& dataset, const ManifestTensor& tensor,
                               const std::string& path) {
  const H5List creation(check(H5Dget_create_plist(dataset.get()), path, "reading a property list"));
  if (H5Pget_layout(creation.get()) != H5D_CONTIGUOUS) return "is not contiguous";
  if (H5Pget_nfilters(creation.get()) != 0) return "has filters";
  if (H5Pget_external_count(creation.get()) != 0) return "lies in another file";
  if (tensor.bytes() == 0) return {};
  const haddr_t offset = H5Dget_offset(dataset.get());
  if (offset == static_cast<haddr_t>(tensor.offset)) return {};
  return fmt::format("begins at byte {}, expected {}", offset, tensor.offset);
}

std::string trouble_of_dataset(const H5Dataset& dataset, const ManifestTensor& tensor,
                               const std::string& path) {
  const H5Type type(check(H5Dget_type(dataset.get()), path, "reading a type"));
  if (H5Tequal(type.get(), file_type(tensor.dtype).get()) <= 0) return "has another type";
  const H5Space space(check(H5Dget_space(dataset.get()), path, "reading a space"));
  if (H5Sextent_equal(space.get(), file_space(tensor.shape).get()) <= 0) return "has another shape";
  return trouble_of_storage(dataset, tensor, path);
}

std::string trouble_of_tensor(const H5Group& group, const ManifestTensor& tensor,
                              const std::string& path) {
  if (H5Lexists(group.get(), tensor.name.c_str(), H5P_DEFAULT) <= 0) return "is not there";
  if (link_info(group.get(), tensor.name, path).type != H5L_TYPE_HARD) return "is no hard link";
  const H5Dataset dataset(
      check(H5Dopen2(group.get(), tensor.name.c_str(), H5P_DEFAULT), path, "opening a dataset"));
  return trouble_of_dataset(dataset, tensor, path);
}

std::string trouble_of_link(const H5Group& group, const ManifestTensor& tensor,
                            const std::string& path) {
  if (H5Lexists(group.get(), tensor.name.c_str(), H5P_DEFAULT) <= 0) return "is not there";
  const H5L_info_t info = link_info(group.get(), tensor.name, path);
  if (info.type != H5L_TYPE_EXTERNAL) return "is no external link";
  std::vector<char> value(info.u.val_size);
  check(H5Lget_val(group.get(), tensor.name.c_str(), value.data(), value.size(), H5P_DEFAULT), path,
        "reading a link");
  const char *file = nullptr, *object = nullptr;
  check(H5Lunpack_elink_val(value.data(), value.size(), nullptr, &file, &object), path,
        "reading a link");
  if (file == tensor.shard && object == "/tensors/" + tensor.name) return {};
  return fmt::format("leads to '{}' in '{}'", object, file);
}

/// Asks `trouble_of` of every tensor; HDF5's own errors are findings about the file.
template <typename Tensors, typename TroubleOf>
LayoutTrouble examine(const std::filesystem::path& path, const Tensors& tensors,
                      TroubleOf trouble_of) {
  LayoutTrouble found;
  try {
    const H5File file = open_file(path);
    const H5Group group = open_tensors(file, path.string(), tensors.size());
    for (const auto& each : tensors) {
      const auto& [tensor, trouble] = trouble_of(group, each);
      if (trouble.empty()) continue;
      if (found.what.empty())
        found.what = fmt::format("in HDF5, '/tensors/{}' {}", tensor->name, trouble);
      found.tensors.push_back(tensor->name);
    }
  } catch (const Error& error) {
    found.what = error.what();
  }
  return found;
}

}  // namespace

LayoutTrouble check_shard_layout(const std::filesystem::path& file,
                                 const std::vector<const ManifestTensor*>& tensors) {
  return examine(file, tensors, [&](const H5Group& group, const ManifestTensor* tensor) {
    return std::pair(tensor, trouble_of_tensor(group, *tensor, file.string()));
  });
}

LayoutTrouble check_master_layout(const std::filesystem::path& file,
                                  const std::vector<ManifestTensor>& tensors) {
  return examine(file, tensors, [&](const H5Group& group, const ManifestTensor& tensor) {
    return std::pair(&tensor, trouble_of_link(group, tensor, file.string()));
  });
}

}  // namespace koine::store
