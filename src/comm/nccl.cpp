#include "comm/nccl.hpp"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"

namespace koine::comm {
namespace {

constexpr std::size_t kWidth = 8;  ///< bytes of a double and of an int64
constexpr const char* kSetUp = "set-up";

}  // namespace

Nccl::Nccl(std::unique_ptr<Mpi> processes, const GpuLibrary& library, double limit)
    : processes_(std::move(processes)),
      library_(library),
      limit_(limit),
      stream_(nullptr, library.destroy_stream),
      buffer_(nullptr, library.release) {}

Nccl::~Nccl() {
  try {
    if (comm_ != nullptr) close();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "NCCL: %s\n", error.what());
  }
}

std::string Nccl::prepare(int device) {
  device_ = device;
  check_cuda(library_.set_device(device_), kSetUp);
  void* stream = nullptr;
  check_cuda(library_.create_stream(&stream, abi::kNonBlockingStream), kSetUp);
  stream_.reset(stream);
  if (!is_root()) return {};
  abi::UniqueId id;
  check_nccl(library_.unique_id(&id), kSetUp);
  return {id.bytes.begin(), id.bytes.end()};
}

void Nccl::connect(std::string prepared, double limit) {
  broadcast(prepared);
  abi::UniqueId id;
  std::memcpy(id.bytes.data(), prepared.data(), id.bytes.size());
  abi::Config config;
  const Seconds usual = std::exchange(limit_, Seconds(limit));
  run(kSetUp, [&] { return library_.init_rank(&comm_, size(), id, rank().value, &config); });
  limit_ = usual;
}

std::unique_ptr<Mpi> Nccl::give_up() {
  abort_nccl();
  return std::move(processes_);
}

void Nccl::all_reduce_sum(std::span<double> slots) {
  for (double& slot : slots) slot += 0.0;  // -0 as +0, as over MPI
  reduce(slots.data(), slots.size(), abi::kFloat64,
         fmt::format("all-reduce of {} doubles", slots.size()));
}

void Nccl::all_reduce_sum(std::span<std::int64_t> counts) {
  reduce(counts.data(), counts.size(), abi::kInt64,
         fmt::format("all-reduce of {} integers", counts.size()));
}

void Nccl::reduce(void* data, std::size_t count, int type, const std::string& operation) {
  if (count == 0) return;
  const std::size_t bytes = count * kWidth;
  check_cuda(library_.set_device(device_), operation);  // this thread may have worked elsewhere
  make_room(bytes, operation);
  void* buffer = buffer_.get();
  void* stream = stream_.get();
  check_cuda(library_.copy(buffer, data, bytes, abi::kToDevice, stream), operation);
  barrier();  // who is late is at work, and may be for hours: the limit runs from here
  run(operation,
      [&] { return library_.all_reduce(buffer, buffer, count, type, abi::kSum, comm_, stream); });
  // Only now: a copy to memory that is not pinned would block until the stream gets to it.
  run(operation, [&] {
    check_cuda(library_.copy(data, buffer, bytes, abi::kToHost, stream), operation);
    return abi::kSuccess;
  });
}

void Nccl::make_room(std::size_t bytes, const std::string& operation) {
  if (bytes <= room_) return;
  buffer_.reset();
  room_ = 0;
  void* buffer = nullptr;
  check_cuda(library_.allocate(&buffer, bytes), operation);
  buffer_.reset(buffer);
  room_ = bytes;
}

template <typename Start>
void Nccl::run(const std::string& operation, Start&& start) {
  try {
    check_nccl(start(), operation);
    if (Heartbeat* heartbeat = processes_->heartbeat()) heartbeat->step();
    LivedTime lived;
    Seconds waited{0};
    processes_->wait_until([&] {
      waited += lived.lap(Seconds(1));
      if (limit_.count() > 0 && waited > limit_) time_out(operation);
      return is_done(operation);
    });
  } catch (...) {
    abort_nccl();
    throw;
  }
}

bool Nccl::is_done(const std::string& operation) {
  int state = abi::kSuccess;
  check_nccl(library_.async_error(comm_, &state), operation);
  check_nccl(state, operation);
  if (state == abi::kInProgress) return false;
  const int status = library_.query_stream(stream_.get());
  if (status == abi::kNotReady) return false;
  check_cuda(status, operation);
  return true;
}

void Nccl::check_cuda(int status, const std::string& operation) {
  if (status == abi::kSuccess) return;
  const std::string reason = library_.cuda_text(status);
  abort_nccl();
  processes_->wait_for_turn();
  throw DeviceError(fmt::format(
      "{} through NCCL: CUDA says '{}'; look at this GPU (nvidia-smi), or use --transport mpi",
      operation, reason));
}

void Nccl::check_nccl(int status, const std::string& operation) {
  if (status == abi::kSuccess || status == abi::kInProgress) return;
  const std::string reason =
      fmt::format("{} ({})", library_.nccl_text(status), library_.last_nccl_error(comm_));
  abort_nccl();
  processes_->wait_for_turn();
  throw CommError(fmt::format(
      "{} through NCCL: {}; NCCL_DEBUG=INFO says more; run the same command again: it goes on, or "
      "use --transport mpi",
      operation, reason));
}

void Nccl::time_out(const std::string& operation) {
  Heartbeat* heartbeat = processes_->heartbeat();
  const std::string late = heartbeat != nullptr ? heartbeat->late() : std::string();
  abort_nccl();
  processes_->wait_for_turn();
  throw CommError(fmt::format(
      "{} through NCCL was not finished in {} s: {}; look there (nvidia-smi, NCCL_DEBUG=INFO), "
      "then run the same command again: it goes on, or use --transport mpi",
      operation, limit_.count(), late.empty() ? "all ranks have begun it" : "waited for " + late));
}

/// Collective where all is well.
void Nccl::close() {
  barrier();  // the root may write for long after the others
  run("shut-down", [&] { return library_.finalize(comm_); });
  library_.destroy(std::exchange(comm_, nullptr));
}

void Nccl::abort_nccl() noexcept {
  if (comm_ == nullptr) return;
  library_.abort(std::exchange(comm_, nullptr));
  // What the GPU was about may never end: its memory and stream go with the process.
  static_cast<void>(stream_.release());
  static_cast<void>(buffer_.release());
}

}  // namespace koine::comm
