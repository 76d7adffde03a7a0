#include "comm/heartbeat.hpp"

#include <array>
#include <cstdlib>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "comm/mpi.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace koine::comm {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kFarewell = std::numeric_limits<std::int64_t>::max();
constexpr int kMissedBeats = 4;
constexpr Seconds kMainThreadsTurn = 1s;  ///< to say itself that a process was lost
constexpr Seconds kUnwinding = 3s;        ///< and to end after that

std::vector<std::string> machine_names(MPI_Comm world, int size) {
  constexpr int kLength = 64;
  std::array<char, kLength> mine{};
  machine_name().copy(mine.data(), kLength - 1);
  std::vector<char> all(static_cast<std::size_t>(size) * kLength);
  check(MPI_Allgather(mine.data(), kLength, MPI_CHAR, all.data(), kLength, MPI_CHAR, world));
  std::vector<std::string> names;
  for (std::size_t at = 0; at < all.size(); at += kLength) names.emplace_back(&all[at]);
  return names;
}

}  // namespace

Seconds turn_to_speak(int rank) {
  return Seconds(rank == 0 ? 0 : std::min(1 + 0.5 * (rank - 1), 4.0));
}

Heartbeat::Heartbeat(MPI_Comm world, std::mutex& mpi, StallLimit limit)
    : mpi_(mpi),
      limit_(std::move(limit)),
      period_(limit_.seconds > 0 ? std::min(1.0, limit_.seconds / 8) : 1.0) {
  int size = 0;
  check(MPI_Comm_dup(world, &beats_));
  check(MPI_Comm_set_errhandler(beats_, MPI_ERRORS_RETURN));
  check(MPI_Comm_rank(world, &rank_));
  check(MPI_Comm_size(world, &size));
  patience_ = Seconds(limit_.seconds) + turn_to_speak(rank_);
  hosts_ = machine_names(world, size);
  steps_.resize(static_cast<std::size_t>(size));
  for (int rank = 0; rank < size; ++rank) {
    if (rank != rank_ && (rank_ == 0 || rank == 0)) peers_.emplace_back().rank = rank;
  }
  for (Peer& peer : peers_) {
    peer.heard.resize(steps_.size());
    peer.said.resize(steps_.size());
    check(MPI_Irecv(peer.heard.data(), size, MPI_INT64_T, peer.rank, 0, beats_, &peer.in));
  }
  thread_ = std::thread([this] { run(); });
}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mpi_);
    is_over_ = is_halted_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Heartbeat::run() {
  std::unique_lock lock(mpi_);
  try {
    while (!is_halted_ && !beat()) {
      if (is_leaving_)
        wake_.wait_for(lock, 1ms);
      else
        wake_.wait_for(lock, period_, [&] { return is_leaving_ || is_halted_; });
    }
  } catch (const CommError& error) {
    const std::string message = error.what();
    lock.unlock();
    end_job(message);
  }
  have_all_left_ = true;
  wake_.notify_all();
  const auto is_over = [&] { return is_over_; };
  if (is_halted_ || limit_.seconds <= 0) return;
  if (wake_.wait_for(lock, patience_, is_over)) return;
  limit_.say(fmt::format("the work is done, but MPI does not end within {} s; ended without it",
                         limit_.seconds));
  std::_Exit(static_cast<int>(ExitCode::communication));
}

/// Hears all peers and speaks to them. @return whether all have left @throws CommError
bool Heartbeat::beat() {
  const Seconds passed = lived_.lap(2 * period_);
  steps_[static_cast<std::size_t>(rank_)] = is_leaving_ ? kFarewell : steps_begun_.load();
  bool have_all_left = true;
  for (Peer& peer : peers_) {
    peer.silent += passed;
    hear(peer);
    say(peer);
    have_all_left = have_all_left && peer.has_left && peer.was_told && peer.out == MPI_REQUEST_NULL;
  }
  if (limit_.seconds > 0) throw_if_silent();
  return have_all_left;
}

void Heartbeat::hear(Peer& peer) {
  while (!peer.has_left) {
    int is_there = 0;
    check(MPI_Test(&peer.in, &is_there, MPI_STATUS_IGNORE));
    if (is_there == 0) return;
    peer.silent = Seconds(0);
    for (std::size_t r = 0; r < steps_.size(); ++r) {
      const bool is_news = peer.rank == 0 || static_cast<int>(r) == peer.rank;
      if (is_news && static_cast<int>(r) != rank_) steps_[r] = peer.heard[r];
    }
    peer.has_left = steps_[static_cast<std::size_t>(peer.rank)] == kFarewell;
    if (peer.has_left) return;
    check(MPI_Irecv(peer.heard.data(), static_cast<int>(steps_.size()), MPI_INT64_T, peer.rank, 0,
                    beats_, &peer.in));
  }
}

void Heartbeat::say(Peer& peer) {
  int is_sent = 0;
  check(MPI_Test(&peer.out, &is_sent, MPI_STATUS_IGNORE));
  if (is_sent == 0 || peer.was_told) return;
  peer.said = steps_;
  check(MPI_Isend(peer.said.data(), static_cast<int>(steps_.size()), MPI_INT64_T, peer.rank, 0,
                  beats_, &peer.out));
  peer.was_told = is_leaving_;
}

std::string Heartbeat::name_of(int rank) const {
  return fmt::format("rank {} on host {}", rank, hosts_[static_cast<std::size_t>(rank)]);
}

void Heartbeat::throw_if_silent() const {
  Seconds longest{0};
  std::vector<std::string> silent;  // with those whose last beat came a little later
  for (const Peer& peer : peers_) {
    if (peer.has_left) continue;
    longest = std::max(longest, peer.silent);
    if (peer.silent > patience_ - 2 * period_) silent.push_back(name_of(peer.rank));
  }
  if (longest <= patience_) return;
  throw CommError(fmt::format(
      "{} {} not been heard of for {} s: dead, stopped or out of reach; look at that machine, then "
      "run the same command again: it goes on (--stall SECONDS waits longer)",
      list_of(silent), silent.size() == 1 ? "has" : "have", limit_.seconds));
}

/// The main thread says what happened if it waits for the others; if it works, this one does.
void Heartbeat::end_job(const std::string& message) {
  message_ = message;
  is_lost_ = true;
  std::this_thread::sleep_for(kMainThreadsTurn);
  if (is_told_.exchange(true))
    std::this_thread::sleep_for(kUnwinding);
  else
    limit_.say(message_);
  const std::lock_guard lock(mpi_);
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(ExitCode::communication));
  std::_Exit(static_cast<int>(ExitCode::communication));
}

void Heartbeat::throw_if_lost() {
  if (is_lost_ && !is_told_.exchange(true)) throw CommError(message_);
}

std::string Heartbeat::late() {
  const std::lock_guard lock(mpi_);
  std::vector<bool> is_late(steps_.size());
  for (std::size_t r = 0; r < steps_.size(); ++r)
    is_late[r] = static_cast<int>(r) != rank_ && steps_[r] < steps_begun_;
  for (const Peer& peer : peers_) {
    if (!peer.has_left && peer.silent > kMissedBeats * period_)
      is_late[static_cast<std::size_t>(peer.rank)] = true;
  }
  if (is_late[0]) return name_of(0);  // what is known of the others came through the root
  std::vector<std::string> names;
  for (std::size_t r = 0; r < is_late.size(); ++r) {
    if (is_late[r]) names.push_back(name_of(static_cast<int>(r)));
  }
  return list_of(names);
}

void Heartbeat::leave() noexcept {
  std::unique_lock lock(mpi_);
  is_leaving_ = true;
  wake_.notify_all();
  wake_.wait(lock, [&] { return have_all_left_; });
  MPI_Comm_free(&beats_);
}

void Heartbeat::halt() noexcept {
  const std::lock_guard lock(mpi_);
  is_halted_ = true;
  wake_.notify_all();
}

}  // namespace koine::comm
