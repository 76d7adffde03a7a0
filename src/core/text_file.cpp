#include "core/text_file.hpp"

#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace koine {
namespace {

constexpr std::size_t kBuffer = std::size_t{64} << 10;

}  // namespace

TextFile::TextFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += fmt::format(".tmp.{}", ::getpid());
  file_ = File::create(temporary_);
}

TextFile::~TextFile() {
  if (is_published_) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void TextFile::append(std::string_view piece) {
  buffer_ += piece;
  if (buffer_.size() >= kBuffer) flush();
}

void TextFile::publish() {
  flush();
  file_.sync();
  file_.close();
  publish_file(temporary_, path_);
  is_published_ = true;
}

void TextFile::flush() {
  file_.write_at(std::as_bytes(std::span(buffer_)), written_);
  written_ += static_cast<std::int64_t>(buffer_.size());
  buffer_.clear();
}

}  // namespace koine
