#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"

namespace koine::checkpoint {

/// A tensor to be written: its name, type and shape; the bytes come from the ByteSource.
struct OutTensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  [[nodiscard]] std::int64_t bytes() const noexcept { return numel(shape) * size_of(dtype); }
};

/// Fills `out` with bytes [offset, offset + out.size()) of tensor `index` of the list given to the
/// writer. Called in order of the file, in pieces of at most kPieceBytes.
using ByteSource =
    std::function<void(std::size_t index, std::int64_t offset, std::span<std::byte> out)>;
inline constexpr std::int64_t kPieceBytes = std::int64_t{16} << 20;

/// One .safetensors file in the reference writer's order (dtype descending, then name), header
/// padded to 8 bytes, written to a temporary name, synced, renamed. Memory: one piece.
void write_safetensors(const std::filesystem::path& path, const std::vector<OutTensor>& tensors,
                       const std::map<std::string, std::string>& metadata,
                       const ByteSource& source);

/// Bytes of the file that write_safetensors makes of these.
[[nodiscard]] std::int64_t safetensors_size(const std::vector<OutTensor>& tensors,
                                            const std::map<std::string, std::string>& metadata);

}  // namespace koine::checkpoint
