#include "live_progress.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "core/text.hpp"
#include "pipeline/attempt.hpp"

namespace koine::jobs {
namespace {

using namespace std::chrono_literals;

std::string bar(double share, int width) {
  const int full = static_cast<int>(share * width);
  std::string text;
  for (int i = 0; i < width; ++i) text += i < full ? "━" : "╌";
  return text;
}

}  // namespace

void LiveProgress::start(const Goal& goal) {
  goal_ = goal;
  draws_bar_ = session_.is_root() && !session_.is_quiet && ::isatty(STDERR_FILENO) != 0;
  is_over_ = false;
  thread_ = std::thread([this] { watch(); });
}

void LiveProgress::stop() {
  {
    const std::lock_guard lock(guard_);
    is_over_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  interrupt_line();
}

void LiveProgress::interrupt_line() const {
  if (draws_bar_) std::fputs("\r\x1b[K", stderr);
}

void LiveProgress::watch() {
  const auto start = std::chrono::steady_clock::now();
  auto next_line = start + 30s;
  std::unique_lock lock(guard_);
  while (!wake_.wait_for(lock, draws_bar_ ? 200ms : 500ms, [this] { return is_over_; })) {
    if (!session_.is_root() || session_.is_quiet) continue;
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - start).count();
    if (draws_bar_) {
      std::fputs(("\r\x1b[K" + line(seconds)).c_str(), stderr);
      std::fflush(stderr);
    } else if (now >= next_line) {
      session_.say(line(seconds));
      next_line += 30s;
    }
  }
}

std::string LiveProgress::line(double seconds) const {
  std::int64_t bytes = progress_.bytes, matrices = progress_.matrices;
  if (session_.processes && session_.processes->size() > 1) {
    for (const pipeline::Beat& beat : pipeline::read_beats(goal_.run)) {
      if (beat.rank == 0) continue;  // this process
      bytes += beat.bytes;
      matrices += beat.matrices;
    }
  }
  const double share =
      goal_.bytes > 0 ? std::min(1.0, static_cast<double>(bytes) / static_cast<double>(goal_.bytes))
                      : 0;
  const double rate = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
  const std::string left = share > 0.01 ? human_seconds(seconds * (1 - share) / share) : "…";
  return fmt::format("{}{:3.0f} %  {} of {}  {}/s  {} of {} matrices  {} left",
                     draws_bar_ ? bar(share, 24) + " " : "merging: ", 100 * share,
                     human_bytes(bytes), human_bytes(goal_.bytes),
                     human_bytes(static_cast<std::int64_t>(rate)), matrices, goal_.matrices, left);
}

}  // namespace koine::jobs
