#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace koine {

/// A file descriptor with whole reads and writes by offset (thread-safe: pread and pwrite).
/// Move-only.
class File {
 public:
  File() = default;
  /// @throws InputError naming the path where it is missing, unreadable or not a regular file
  [[nodiscard]] static File open_read(const std::filesystem::path& path);
  /// Creates or truncates. @throws InputError where the place cannot be (below a file, too long,
  /// not permitted), StorageError
  [[nodiscard]] static File create(const std::filesystem::path& path);
  /// Opens for reading and writing, as it is. @throws StorageError
  [[nodiscard]] static File open_update(const std::filesystem::path& path);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  /// Fills `out` from `offset`. @throws InputError where the file ends before, StorageError on an
  /// I/O error
  void read_at(std::span<std::byte> out, std::int64_t offset) const;
  /// @throws StorageError (disk full, quota, I/O)
  void write_at(std::span<const std::byte> bytes, std::int64_t offset) const;
  /// Starts writing the pages wholly inside [offset, offset + bytes) to the disk, so that sync()
  /// has less to wait for. Advice: reports nothing.
  void start_writing(std::int64_t offset, std::int64_t bytes) const noexcept;
  /// Starts reading that range into the page cache. Advice: reports nothing.
  void start_reading(std::int64_t offset, std::int64_t bytes) const noexcept;
  void sync() const;  ///< fsync. @throws StorageError
  void close();       ///< reports what a destructor cannot. @throws StorageError
  [[nodiscard]] std::int64_t size() const;  ///< bytes
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  File(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  int descriptor_ = -1;
  std::string path_;
};

/// fsync of a folder, so that a rename inside it survives a power cut.
void sync_folder(const std::filesystem::path& folder);

/// Renames over `to` and syncs its folder. @throws StorageError
void publish_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Whether a file name is that of a writer that has not ended: "<name>.tmp.…".
[[nodiscard]] bool is_temporary(const std::filesystem::path& path);

/// Temporary name, write, fsync, rename, fsync of the folder. Many threads, processes and machines
/// may write one path at once: the last one's file stays. @throws StorageError
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// The same without fsync: for what can be made again after a power cut. @throws StorageError
void replace_file(const std::filesystem::path& path, std::string_view content);

/// The whole file. @throws InputError where it is missing or longer than `limit` bytes
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path, std::int64_t limit);

/// With all above it. @throws InputError where the place cannot be (below a file, too long, not
/// permitted), StorageError
void make_folders(const std::filesystem::path& folder);

/// Bytes that this process has read and written through File so far (timing.json).
struct IoCount {
  std::int64_t read = 0;
  std::int64_t written = 0;
};
[[nodiscard]] IoCount io_count() noexcept;

}  // namespace koine
