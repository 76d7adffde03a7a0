#include "core/file.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/host.hpp"

namespace koine {
namespace {

std::atomic<std::int64_t> g_read{0};
std::atomic<std::int64_t> g_written{0};

constexpr const char* kTemporary = ".tmp.";  // before what makes the name its writer's own
constexpr std::int64_t kPage = 4096;
constexpr std::size_t kLargestCall = std::size_t{1} << 30;  // pread and pwrite stop at 2 GiB

[[noreturn]] void throw_storage(const std::string& path, const char* doing) {
  const int code = errno;
  const char* advice = code == ENOSPC || code == EDQUOT
                           ? "free some space and run the same command again"
                           : "check the storage and run the same command again";
  throw StorageError(
      fmt::format("{}: {} failed: {}; {}", path, doing, std::strerror(code), advice));
}

/// What to do about a place that the user named and that cannot be; nullptr where the storage
/// fails.
const char* advice_on_place(int code) {
  switch (code) {
    case ENOTDIR:
    case EEXIST:
      return "a part of this path is a file; name another place";
    case ENAMETOOLONG:
      return "name a shorter path";
    case EACCES:
    case EPERM:
    case EROFS:
      return "name a place that you may write to";
    default:
      return nullptr;
  }
}

/// @pre errno says why
[[noreturn]] void throw_place(const std::string& path, const char* doing) {
  const char* advice = advice_on_place(errno);
  if (advice == nullptr) throw_storage(path, doing);
  throw InputError(fmt::format("{}: {} failed: {}; {}", path, doing, std::strerror(errno), advice));
}

int open_retrying(const char* path, int flags, mode_t mode = 0) {
  int descriptor = -1;
  do descriptor = ::open(path, flags | O_CLOEXEC, mode);
  while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

/// Closes it. On Linux a descriptor is gone even where a signal interrupts that.
bool is_closed(int descriptor) {
  return ::close(descriptor) == 0 || errno == EINTR;
}

int sync_retrying(int descriptor) {
  int status = 0;
  do status = ::fsync(descriptor);
  while (status != 0 && errno == EINTR);
  return status;
}

void rename_over(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_storage(to.string(), "renaming into place");
}

/// A name that no other thread, process or machine uses.
std::filesystem::path temporary_for(const std::filesystem::path& path) {
  static std::atomic<unsigned> count{0};
  std::filesystem::path temporary = path;
  temporary += fmt::format("{}{}.{}.{}", kTemporary, host_name(), ::getpid(), ++count);
  return temporary;
}

/// Writes the content beside `path`, then calls publish(file, temporary); leaves nothing where
/// something fails.
template <typename Publish>
void write_aside(const std::filesystem::path& path, std::string_view content, Publish publish) {
  const std::filesystem::path temporary = temporary_for(path);
  try {
    File file = File::create(temporary);
    file.write_at(std::as_bytes(std::span(content)), 0);
    publish(file, temporary);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace

File File::open_read(const std::filesystem::path& path) {
  const int descriptor = open_retrying(path.c_str(), O_RDONLY);
  if (descriptor < 0)
    throw InputError(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  File file(descriptor, path.string());
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw_storage(file.path_, "fstat");
  if (!S_ISREG(status.st_mode))
    throw InputError(fmt::format("{}: is not a regular file", path.string()));
  return file;
}

File File::create(const std::filesystem::path& path) {
  const int descriptor = open_retrying(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (descriptor < 0) throw_place(path.string(), "creating the file");
  return {descriptor, path.string()};
}

File File::open_update(const std::filesystem::path& path) {
  const int descriptor = open_retrying(path.c_str(), O_RDWR);
  if (descriptor < 0) throw_storage(path.string(), "opening the file for writing");
  return {descriptor, path.string()};
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);  // who wrote closes by close(), or is failing already
}

void File::read_at(std::span<std::byte> out, std::int64_t offset) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t wanted = std::min(out.size() - done, kLargestCall);
    const ssize_t got =
        ::pread(descriptor_, out.data() + done, wanted, offset + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_storage(path_, "reading");
    if (got == 0) {
      throw InputError(fmt::format(
          "{}: ends at byte {}, expected {} bytes from byte {}; is it still being copied?", path_,
          offset + static_cast<std::int64_t>(done), out.size(), offset));
    }
    done += static_cast<std::size_t>(got);
  }
  g_read += static_cast<std::int64_t>(out.size());
}

void File::write_at(std::span<const std::byte> bytes, std::int64_t offset) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::size_t wanted = std::min(bytes.size() - done, kLargestCall);
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data() + done, wanted, offset + static_cast<off_t>(done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw_storage(path_, "writing");
    done += static_cast<std::size_t>(put);
  }
  g_written += static_cast<std::int64_t>(bytes.size());
}

void File::start_writing(std::int64_t offset, std::int64_t bytes) const noexcept {
  const std::int64_t first = (offset + kPage - 1) / kPage * kPage;
  const std::int64_t last = (offset + bytes) / kPage * kPage;
  if (first < last)
    (void)::sync_file_range(descriptor_, first, last - first, SYNC_FILE_RANGE_WRITE);
}

// Advice on what is in the page cache already looks every page up; two bytes tell as much.
void File::start_reading(std::int64_t offset, std::int64_t bytes) const noexcept {
  if (bytes <= 0) return;
  const auto is_cached = [&](std::int64_t at) {
    char byte = 0;
    const iovec into{&byte, 1};
    return ::preadv2(descriptor_, &into, 1, at, RWF_NOWAIT) == 1;
  };
  if (is_cached(offset) && is_cached(offset + bytes - 1)) return;
  (void)::posix_fadvise(descriptor_, offset, bytes, POSIX_FADV_WILLNEED);
}

void File::sync() const {
  if (sync_retrying(descriptor_) != 0) throw_storage(path_, "fsync");
}

void File::close() {
  if (descriptor_ >= 0 && !is_closed(std::exchange(descriptor_, -1)))
    throw_storage(path_, "closing");
}

std::int64_t File::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw_storage(path_, "fstat");
  return status.st_size;
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = open_retrying(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) throw_storage(folder.string(), "opening the folder");
  const int status = sync_retrying(descriptor);
  const int code = errno;
  ::close(descriptor);
  errno = code;
  if (status != 0 && code != EINVAL) throw_storage(folder.string(), "fsync of the folder");
}

void publish_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  rename_over(from, to);
  sync_folder(to.parent_path().empty() ? std::filesystem::path(".") : to.parent_path());
}

bool is_temporary(const std::filesystem::path& path) {
  return path.filename().string().find(kTemporary) != std::string::npos;
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  write_aside(path, content, [&](File& file, const std::filesystem::path& temporary) {
    file.sync();
    file.close();
    publish_file(temporary, path);
  });
}

void replace_file(const std::filesystem::path& path, std::string_view content) {
  write_aside(path, content, [&](File& file, const std::filesystem::path& temporary) {
    file.close();
    rename_over(temporary, path);
  });
}

std::string read_text_file(const std::filesystem::path& path, std::int64_t limit) {
  const File file = File::open_read(path);
  const std::int64_t size = file.size();
  if (size > limit) {
    throw InputError(
        fmt::format("{}: has {} bytes, at most {} expected", path.string(), size, limit));
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  file.read_at(std::as_writable_bytes(std::span(text)), 0);
  return text;
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (!code) return;
  errno = code.value();
  throw_place(folder.string(), "creating the folder");
}

IoCount io_count() noexcept {
  return {g_read.load(), g_written.load()};
}

}  // namespace koine
