#include "backend/cuda/rings.hpp"

namespace koine::cuda {
namespace {

double seconds_between(const Event& begun, const Event& ended) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begun.get(), ended.get()));
  return 1e-3 * static_cast<double>(milliseconds);
}

template <typename Slot>
double added(const std::vector<Slot>& slots) noexcept {
  double sum = 0;
  for (const Slot& slot : slots) sum += slot.seconds;
  return sum;
}

}  // namespace

Intake::Intake(std::int32_t buffers) : slots_(static_cast<std::size_t>(buffers)) {}

std::byte* Intake::room(std::int32_t buffer, std::int64_t bytes) {
  Slot& slot = slots_.at(static_cast<std::size_t>(buffer));
  note_time(slot);
  check(cudaEventSynchronize(slot.used.get()));
  slot.device.reserve(bytes);
  return slot.host.reserve(bytes);
}

void Intake::send(std::int32_t buffer, std::int64_t bytes) {
  Slot& slot = slots_.at(static_cast<std::size_t>(buffer));
  check(cudaEventRecord(slot.begun.get(), stream_.get()));
  check(cudaMemcpyAsync(slot.device.data(), slot.host.data(), static_cast<std::size_t>(bytes),
                        cudaMemcpyHostToDevice, stream_.get()));
  check(cudaEventRecord(slot.arrived.get(), stream_.get()));
  slot.is_under_way = true;
}

/// Waits for the copy.
void Intake::note_time(Slot& slot) {
  if (!slot.is_under_way) return;
  check(cudaEventSynchronize(slot.arrived.get()));
  slot.seconds += seconds_between(slot.begun, slot.arrived);
  slot.is_under_way = false;
}

const std::byte* Intake::arrived(std::int32_t buffer, cudaStream_t user) {
  const Slot& slot = slots_.at(static_cast<std::size_t>(buffer));
  check(cudaStreamWaitEvent(user, slot.arrived.get(), 0));
  return slot.device.data();
}

void Intake::used(std::int32_t buffer, cudaStream_t user) {
  check(cudaEventRecord(slots_.at(static_cast<std::size_t>(buffer)).used.get(), user));
}

double Intake::seconds() {
  for (Slot& slot : slots_) note_time(slot);
  return added(slots_);
}

Outlet::Outlet(std::int32_t buffers) : slots_(static_cast<std::size_t>(buffers)) {}

std::byte* Outlet::room(std::int32_t buffer, std::int64_t bytes) {
  Slot& slot = slots_.at(static_cast<std::size_t>(buffer));
  check(cudaEventSynchronize(slot.copied.get()));  // of a result that nobody took
  slot.host.reserve(bytes);
  return slot.device.reserve(bytes);
}

void Outlet::send(std::int32_t buffer, std::int64_t bytes, cudaStream_t maker) {
  Slot& slot = slots_.at(static_cast<std::size_t>(buffer));
  check(cudaEventRecord(slot.made.get(), maker));
  check(cudaStreamWaitEvent(stream_.get(), slot.made.get(), 0));
  check(cudaEventRecord(slot.begun.get(), stream_.get()));
  check(cudaMemcpyAsync(slot.host.data(), slot.device.data(), static_cast<std::size_t>(bytes),
                        cudaMemcpyDeviceToHost, stream_.get()));
  check(cudaEventRecord(slot.copied.get(), stream_.get()));
}

const std::byte* Outlet::take(std::int32_t buffer) {
  Slot& slot = slots_.at(static_cast<std::size_t>(buffer));
  check(cudaEventSynchronize(slot.copied.get()));
  slot.seconds += seconds_between(slot.begun, slot.copied);
  return slot.host.data();
}

double Outlet::seconds() const noexcept {
  return added(slots_);
}

}  // namespace koine::cuda
