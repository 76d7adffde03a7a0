#include "checkpoint/write_safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include <fmt/format.h>
#include <unistd.h>

#include "core/file.hpp"
#include "core/json.hpp"

namespace koine::checkpoint {
namespace {

/// The reference's order of dtypes, widest alignment first.
constexpr std::array<DType, 13> kOrder{
    DType::u64, DType::i64, DType::f64, DType::f32, DType::u32, DType::i32,    DType::bf16,
    DType::f16, DType::u16, DType::i16, DType::i8,  DType::u8,  DType::boolean};

std::ptrdiff_t place_of(DType dtype) {
  return std::find(kOrder.begin(), kOrder.end(), dtype) - kOrder.begin();
}

std::vector<std::size_t> reference_order(const std::vector<OutTensor>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&tensors](std::size_t a, std::size_t b) {
    const auto x = place_of(tensors[a].dtype), y = place_of(tensors[b].dtype);
    return x != y ? x < y : tensors[a].name < tensors[b].name;
  });
  return order;
}

/// Length prefix and JSON, padded with spaces so that the data begin at a multiple of 8.
std::string header_of(const std::vector<OutTensor>& tensors, const std::vector<std::size_t>& order,
                      const std::map<std::string, std::string>& metadata) {
  Json document = Json::object();
  if (!metadata.empty()) document["__metadata__"] = metadata;
  std::int64_t offset = 0;
  for (const std::size_t index : order) {
    const OutTensor& tensor = tensors[index];
    const std::int64_t end = offset + tensor.bytes();
    document[tensor.name] = {{"dtype", safetensors_name(tensor.dtype)},
                             {"shape", tensor.shape},
                             {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = document.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  std::string prefix(sizeof(length), '\0');
  std::memcpy(prefix.data(), &length, sizeof(length));
  return prefix + text;
}

void write_all(File& file, const std::vector<OutTensor>& tensors, const std::string& header,
               const std::vector<std::size_t>& order, const ByteSource& source) {
  file.write_at(std::as_bytes(std::span(header)), 0);
  auto position = static_cast<std::int64_t>(header.size());
  std::vector<std::byte> piece;
  for (const std::size_t index : order) {
    const std::int64_t bytes = tensors[index].bytes();
    for (std::int64_t done = 0; done < bytes; done += kPieceBytes) {
      piece.resize(static_cast<std::size_t>(std::min(kPieceBytes, bytes - done)));
      source(index, done, piece);
      file.write_at(piece, position + done);
    }
    position += bytes;
  }
  file.sync();
  file.close();
}

}  // namespace

std::int64_t safetensors_size(const std::vector<OutTensor>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  auto bytes =
      static_cast<std::int64_t>(header_of(tensors, reference_order(tensors), metadata).size());
  for (const OutTensor& tensor : tensors) bytes += tensor.bytes();
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<OutTensor>& tensors,
                       const std::map<std::string, std::string>& metadata,
                       const ByteSource& source) {
  const std::vector<std::size_t> order = reference_order(tensors);
  std::filesystem::path temporary = path;
  temporary += fmt::format(".tmp.{}", ::getpid());
  try {
    File file = File::create(temporary);
    write_all(file, tensors, header_of(tensors, order, metadata), order, source);
    publish_file(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace koine::checkpoint
