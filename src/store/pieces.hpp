#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/file.hpp"

namespace koine::store {

/// A range of a file.
struct Piece {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

/// Asked before each block of at most 1 MiB is read, with its size; false stops.
using GoOn = std::function<bool(std::int64_t bytes)>;

/// SHA-256 of a piece; "" where `go_on` said no. @throws InputError where the file ends before,
/// StorageError
[[nodiscard]] std::string hash_piece(const File& file, Piece piece, const GoOn& go_on = {});

}  // namespace koine::store
