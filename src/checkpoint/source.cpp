#include "checkpoint/source.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <exception>
#include <mutex>
#include <vector>

#include "core/file.hpp"

namespace koine::checkpoint {
namespace {

constexpr std::size_t kMostOpen = 64;
constexpr std::int64_t kWindowBytes = std::int64_t{16} << 20;

/// Walks the elements of a strided tensor in row-major order.
class Walk {
 public:
  Walk(const TensorInfo& tensor, std::int64_t first)
      : tensor_(tensor), at_(tensor.shape.size(), 0) {
    for (std::size_t axis = at_.size(); axis-- > 0;) {
      at_[axis] = first % tensor.shape[axis];
      first /= tensor.shape[axis];
      place_ += at_[axis] * tensor.strides[axis];
    }
  }
  [[nodiscard]] std::int64_t place() const noexcept {
    return place_;
  }  ///< in elements of the storage
  void advance() noexcept {
    for (std::size_t axis = at_.size(); axis-- > 0;) {
      place_ += tensor_.strides[axis];
      if (++at_[axis] < tensor_.shape[axis]) return;
      place_ -= at_[axis] * tensor_.strides[axis];
      at_[axis] = 0;
    }
  }

 private:
  const TensorInfo& tensor_;
  std::vector<std::int64_t> at_;
  std::int64_t place_ = 0;
};

struct Range {
  std::int64_t first = 0, last = 0;  ///< storage elements touched, both inclusive
};

Range touched(const TensorInfo& tensor, std::int64_t first, std::int64_t count) {
  Walk walk(tensor, first);
  Range range{walk.place(), walk.place()};
  for (std::int64_t i = 0; i < count; ++i, walk.advance()) {
    range.first = std::min(range.first, walk.place());
    range.last = std::max(range.last, walk.place());
  }
  return range;
}

/// Reads the storage window by window and picks the elements that lie in each: memory is one
/// window.
void gather(const File& file, const TensorInfo& tensor, std::int64_t first,
            std::span<std::byte> out) {
  const std::int64_t size = size_of(tensor.dtype);
  const std::int64_t count = static_cast<std::int64_t>(out.size()) / size;
  const Range range = touched(tensor, first, count);
  const std::int64_t step = kWindowBytes / size;
  std::vector<std::byte> window;
  for (std::int64_t begin = range.first; begin <= range.last; begin += step) {
    const std::int64_t end = std::min(range.last + 1, begin + step);
    window.resize(static_cast<std::size_t>((end - begin) * size));
    file.read_at(window, tensor.offset + begin * size);
    Walk walk(tensor, first);
    for (std::int64_t i = 0; i < count; ++i, walk.advance()) {
      if (walk.place() < begin || walk.place() >= end) continue;
      std::memcpy(out.data() + i * size, window.data() + (walk.place() - begin) * size,
                  static_cast<std::size_t>(size));
    }
  }
}

}  // namespace

struct Source::State {
  struct Slot {
    std::shared_ptr<const File> file;
    std::uint64_t used = 0;
  };
  const Checkpoint& header;
  std::mutex guard;
  std::vector<Slot> slots;
  std::size_t open = 0;
  std::uint64_t clock = 0;

  explicit State(const Checkpoint& checkpoint)
      : header(checkpoint), slots(checkpoint.files.size()) {}

  /// The open file; a reader that holds it may go on reading after it left the slots.
  std::shared_ptr<const File> file(std::size_t index) {
    const std::lock_guard lock(guard);
    Slot& slot = slots.at(index);
    if (!slot.file) {
      if (open == kMostOpen) close_oldest();
      slot.file = std::make_shared<const File>(File::open_read(header.files[index].path));
      ++open;
    }
    slot.used = ++clock;
    return slot.file;
  }

  void close_oldest() {
    Slot* oldest = nullptr;
    for (Slot& slot : slots) {
      if (slot.file && (oldest == nullptr || slot.used < oldest->used)) oldest = &slot;
    }
    oldest->file.reset();
    --open;
  }
};

Source::Source(const Checkpoint& header) : state_(std::make_unique<State>(header)) {}
Source::~Source() = default;
Source::Source(Source&&) noexcept = default;
Source& Source::operator=(Source&&) noexcept = default;

void Source::read(const TensorInfo& tensor, std::int64_t first, std::int64_t count,
                  std::span<std::byte> out) const {
  assert(first >= 0 && count >= 0 && first + count <= tensor.count());
  assert(static_cast<std::int64_t>(out.size()) == count * size_of(tensor.dtype));
  if (count == 0) return;
  const auto file = state_->file(static_cast<std::size_t>(tensor.file));
  if (tensor.strides.empty())
    file->read_at(out, tensor.offset + first * size_of(tensor.dtype));
  else
    gather(*file, tensor, first, out);
}

void Source::will_read(const TensorInfo& tensor, std::int64_t first,
                       std::int64_t count) const noexcept {
  const std::int64_t size = size_of(tensor.dtype);
  if (count == 0 || !tensor.strides.empty()) return;
  try {
    state_->file(static_cast<std::size_t>(tensor.file))
        ->start_reading(tensor.offset + first * size, count * size);
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace koine::checkpoint
