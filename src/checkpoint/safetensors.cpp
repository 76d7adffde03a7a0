#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "checkpoint/formats.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"

namespace koine::checkpoint {
namespace {

constexpr std::int64_t kLargestHeader = 100'000'000;  // the reference's limit
constexpr std::size_t kMostTensors = 100'000;
constexpr std::size_t kLongestName = std::size_t{64} << 10;
constexpr std::size_t kMostAxes = 32;  // HDF5's limit

struct Header {
  std::string text;
  std::int64_t data_begin = 0;
};

Header read_header(const File& file) {
  const std::int64_t size = file.size();
  std::array<std::byte, 8> prefix{};
  if (size < 8) {
    throw InputError(fmt::format(
        "{}: has {} bytes, a safetensors file at least 8; download it again", file.path(), size));
  }
  file.read_at(prefix, 0);
  std::uint64_t length = 0;
  std::memcpy(&length, prefix.data(), sizeof(length));
  const std::int64_t limit = std::min(kLargestHeader, size - 8);
  if (length > static_cast<std::uint64_t>(limit)) {
    throw InputError(
        fmt::format("{}: header of {} bytes announced, at most {} expected (file of {} bytes); "
                    "the file is cut off or no safetensors file, download it again",
                    file.path(), length, limit, size));
  }
  Header header{std::string(length, '\0'), 8 + static_cast<std::int64_t>(length)};
  file.read_at(std::as_writable_bytes(std::span(header.text)), 8);
  if (header.text.empty() || header.text.front() != '{') {
    throw InputError(fmt::format("{}: header does not begin with '{{'; this is no safetensors file",
                                 file.path()));
  }
  return header;
}

/// A whole number >= 0: no float, no sign, no exponent.
std::int64_t whole_number(const Json& value, const std::string& where) {
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    throw InputError(fmt::format("{}: expected a whole number from 0 to 2^63 - 1, found {:.40}",
                                 where, value.dump()));
  }
  return static_cast<std::int64_t>(value.get<std::uint64_t>());
}

const Json& member(const Json& entry, const char* key, const std::string& where) {
  const auto at = entry.find(key);
  if (at == entry.end())
    throw InputError(fmt::format("{}: has no '{}'; the header is damaged", where, key));
  return *at;
}

Shape read_shape(const Json& value, const std::string& where) {
  if (!value.is_array() || value.size() > kMostAxes) {
    throw InputError(
        fmt::format("{}: shape is not a list of at most {} whole numbers", where, kMostAxes));
  }
  Shape shape;
  for (const Json& extent : value) shape.push_back(whole_number(extent, where + ": shape"));
  return shape;
}

DType read_dtype(const Json& value, const std::string& where) {
  if (!value.is_string()) throw InputError(fmt::format("{}: dtype is not a string", where));
  const auto dtype = from_safetensors_name(value.get<std::string>());
  if (!dtype) {
    throw InputError(fmt::format(
        "{}: dtype {:.40} is not supported; expected F64, F32, F16, BF16, an integer type "
        "or BOOL; convert the checkpoint first",
        where, value.dump()));
  }
  return *dtype;
}

/// The bytes that shape and dtype ask for. @throws InputError where they exceed any file
std::int64_t bytes_of(const TensorInfo& tensor, const std::string& where) {
  const auto count = checked_numel(tensor.shape);
  std::int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, size_of(tensor.dtype), &bytes)) {
    throw InputError(
        fmt::format("{}: shape {} is larger than any file", where, to_string(tensor.shape)));
  }
  return bytes;
}

/// Names end up in messages, shards and JSON: no control characters.
void check_name(const std::string& name, const std::string& path) {
  const bool is_plain =
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
  if (is_plain && name.size() <= kLongestName) return;
  throw InputError(
      fmt::format("{}: tensor {:.200}: name has a NUL, a control character or more than {} bytes",
                  path, Json(name).dump(), kLongestName));
}

/// An entry of the header; offset is relative to the data. Unknown members are ignored, as the
/// reference does.
TensorInfo read_entry(const std::string& name, const Json& entry, const std::string& path) {
  check_name(name, path);
  const std::string where = fmt::format("{}: tensor '{:.200}'", path, name);
  if (!entry.is_object())
    throw InputError(fmt::format("{}: its header entry is not an object", where));
  TensorInfo tensor;
  tensor.name = name;
  tensor.dtype = read_dtype(member(entry, "dtype", where), where);
  tensor.shape = read_shape(member(entry, "shape", where), where);
  const Json& offsets = member(entry, "data_offsets", where);
  if (!offsets.is_array() || offsets.size() != 2) {
    throw InputError(fmt::format("{}: data_offsets is not a pair of whole numbers", where));
  }
  tensor.offset = whole_number(offsets[0], where + ": data_offsets");
  const std::int64_t end = whole_number(offsets[1], where + ": data_offsets");
  const std::int64_t bytes = bytes_of(tensor, where);
  if (end < tensor.offset || end - tensor.offset != bytes) {
    throw InputError(fmt::format(
        "{}: {} {} takes {} bytes, data_offsets are [{}, {}]; the header is damaged", where,
        safetensors_name(tensor.dtype), to_string(tensor.shape), bytes, tensor.offset, end));
  }
  return tensor;
}

void check_metadata(const Json& metadata, const std::string& path) {
  const bool is_flat =
      metadata.is_object() && std::all_of(metadata.begin(), metadata.end(),
                                          [](const Json& value) { return value.is_string(); });
  if (!is_flat)
    throw InputError(fmt::format("{}: __metadata__ is not a flat map of strings", path));
}

/// No holes, no overlap, from 0 to the end of the file exactly; then offsets count from the start
/// of the file.
void place_tensors(Checkpoint& checkpoint, std::int64_t data_begin) {
  auto& tensors = checkpoint.tensors;
  std::sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.bytes() < b.bytes();
  });
  std::int64_t end = 0;
  for (TensorInfo& tensor : tensors) {
    if (tensor.offset != end) {
      throw InputError(fmt::format(
          "{}: tensor '{:.200}' begins at byte {} of the data, expected {}: {} in the file",
          checkpoint.path, tensor.name, tensor.offset, end,
          tensor.offset < end ? "tensors overlap" : "there is a hole"));
    }
    if (__builtin_add_overflow(end, tensor.bytes(), &end)) {
      throw InputError(fmt::format("{}: tensors are larger than any file", checkpoint.path));
    }
    tensor.offset += data_begin;
  }
  const std::int64_t found = checkpoint.files.front().size - data_begin;
  if (found != end) {
    throw InputError(fmt::format(
        "{}: {} bytes of tensors follow the header, expected exactly {}; {}", checkpoint.path,
        found, end, found < end ? "is it still being copied?" : "the file has been tampered with"));
  }
}

}  // namespace

Checkpoint open_safetensors(const std::filesystem::path& path) {
  const File file = File::open_read(path);
  const Header header = read_header(file);
  Checkpoint checkpoint;
  checkpoint.path = path.string();
  checkpoint.format = Format::safetensors;
  checkpoint.files.push_back({path.string(), file.size()});
  const Json document = parse_strict_json(header.text, checkpoint.path);
  if (document.size() > kMostTensors) {
    throw InputError(fmt::format("{}: {} tensors, at most {} expected", checkpoint.path,
                                 document.size(), kMostTensors));
  }
  for (const auto& [name, entry] : document.items()) {
    if (name == "__metadata__")
      check_metadata(entry, checkpoint.path);
    else
      checkpoint.tensors.push_back(read_entry(name, entry, checkpoint.path));
  }
  place_tensors(checkpoint, header.data_begin);
  return checkpoint;
}

}  // namespace koine::checkpoint
