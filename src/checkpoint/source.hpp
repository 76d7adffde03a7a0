#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "checkpoint/checkpoint.hpp"

namespace koine::checkpoint {

/// Reads tensors of one checkpoint by offset. Thread-safe. Opens a file when its first tensor is
/// read; at most 64 stay open.
class Source {
 public:
  explicit Source(const Checkpoint& header);  ///< keeps a reference: `header` must live longer
  ~Source();
  Source(Source&&) noexcept;
  Source& operator=(Source&&) noexcept;

  /// Elements [first, first + count) in row-major order, as stored (little-endian), into `out`.
  /// @pre out.size() == count * size_of(tensor.dtype); 0 <= first, first + count <= tensor.count()
  /// @throws InputError where the file has become shorter, StorageError on an I/O error
  void read(const TensorInfo& tensor, std::int64_t first, std::int64_t count,
            std::span<std::byte> out) const;

  /// Starts reading those elements into the page cache, so that read() finds them there. Advice:
  /// does nothing where it cannot (strided tensors, a file that is gone: read() tells).
  void will_read(const TensorInfo& tensor, std::int64_t first, std::int64_t count) const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace koine::checkpoint
