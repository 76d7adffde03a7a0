#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "store/layout.hpp"

namespace koine::store {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 20;

[[noreturn]] void throw_memory(const char* doing) {
  throw StorageError(fmt::format("a file in memory: {} failed: {}", doing, std::strerror(errno)));
}

}  // namespace

LayoutImage::LayoutImage() : descriptor_(::memfd_create("koine-layout", MFD_CLOEXEC)) {
  if (descriptor_ < 0) throw_memory("creating it");
}

LayoutImage::~LayoutImage() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

LayoutImage::LayoutImage(LayoutImage&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

std::string LayoutImage::path() const {
  return fmt::format("/proc/self/fd/{}", descriptor_);
}

std::int64_t LayoutImage::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw_memory("fstat");
  return status.st_size;
}

std::string LayoutImage::piece(std::int64_t offset, std::int64_t bytes) const {
  std::string text(static_cast<std::size_t>(bytes), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::pread(descriptor_, text.data() + done, text.size() - done,
                                offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw_memory("reading it");
    done += static_cast<std::size_t>(got);
  }
  return text;
}

std::string LayoutImage::text() const {
  return piece(0, size());
}

void LayoutImage::copy_to(const File& file) const {
  std::int64_t at = 0;
  while ((at = ::lseek(descriptor_, at, SEEK_DATA)) >= 0) {
    const std::int64_t end = ::lseek(descriptor_, at, SEEK_HOLE);
    if (end < 0) throw_memory("finding its pages");
    while (at < end) {
      const std::string bytes = piece(at, std::min(kPiece, end - at));
      file.write_at(std::as_bytes(std::span(bytes)), at);
      at += static_cast<std::int64_t>(bytes.size());
    }
  }
  if (errno != ENXIO) throw_memory("finding its pages");
}

}  // namespace koine::store
