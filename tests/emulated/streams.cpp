#include "streams.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <vector>

// Work is put off for as long as CUDA may: what does not wait for an event of another stream comes
// before it, and page-locked memory is read when the copy is done, not when it is asked for.
struct EmulatedStream {
  /// Something to do, or a place in another stream to be reached first.
  struct Step {
    std::function<void()> work;
    EmulatedStream* other = nullptr;
    std::uint64_t place = 0;
  };
  std::mutex at_work;  ///< held by whoever does this stream's work; never while waiting for others
  std::mutex guard;    ///< of all below
  std::deque<Step> steps;
  std::uint64_t enqueued = 0, done = 0;

  void put(Step step) {
    const std::lock_guard lock(guard);
    steps.push_back(std::move(step));
    ++enqueued;
  }
};

struct EmulatedEvent {
  std::mutex guard;  ///< of all below
  EmulatedStream* stream = nullptr;
  std::uint64_t place = 0;  ///< of the last record in its stream
  std::chrono::steady_clock::time_point time{};
  bool is_done = false;
};

namespace {

constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();

std::mutex guard;
std::set<EmulatedStream*>& streams() {  // never destroyed: handles end after main
  static auto& all = *new std::set<EmulatedStream*>;
  return all;
}
std::map<const char*, std::size_t>& page_locked() {
  static auto& all = *new std::map<const char*, std::size_t>;
  return all;
}

bool is_page_locked(const void* data) {
  const std::lock_guard lock(guard);
  const char* at = static_cast<const char*>(data);
  const auto next = page_locked().upper_bound(at);
  if (next == page_locked().begin()) return false;
  const auto& [first, bytes] = *std::prev(next);
  return at < first + bytes;
}

void drain_to(EmulatedStream& stream, std::uint64_t place);

/// The stream's next step before `place`; false where there is none.
bool advance(EmulatedStream& stream, std::uint64_t place) {
  std::unique_lock at_work(stream.at_work);
  std::unique_lock lock(stream.guard);
  if (stream.steps.empty() || stream.done >= place) return false;
  const std::uint64_t which = stream.done;
  const EmulatedStream::Step step = stream.steps.front();
  lock.unlock();
  if (step.other != nullptr) {
    at_work.unlock();
    drain_to(*step.other, step.place);
    at_work.lock();
  } else {
    step.work();
  }
  lock.lock();
  if (stream.done != which) return true;  // another thread was there first
  stream.steps.pop_front();
  ++stream.done;
  return true;
}

void drain_to(EmulatedStream& stream, std::uint64_t place) {
  while (advance(stream, place)) {
  }
}

struct Record {
  EmulatedStream* stream;
  std::uint64_t place;
};
Record last_record(EmulatedEvent& event) {
  const std::lock_guard lock(event.guard);
  return {event.stream, event.place};
}

void require(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (kind != cudaMemcpyDeviceToHost) emulated::require_device(to, bytes);
  if (kind != cudaMemcpyHostToDevice) emulated::require_device(from, bytes);
}

/// `rows` rows of `bytes`, each side's rows its pitch apart.
struct Rows {
  void* to;
  std::size_t to_pitch;
  const void* from;
  std::size_t from_pitch, bytes, rows;

  void copy() const {
    for (std::size_t row = 0; row < rows; ++row) {
      std::memmove(static_cast<char*>(to) + row * to_pitch,
                   static_cast<const char*>(from) + row * from_pitch, bytes);
    }
  }
};

/// Memory that is not page-locked is read at once, and written before the call is over.
void copy_in_order(const Rows& all, cudaMemcpyKind kind, cudaStream_t stream) {
  const void* host = kind == cudaMemcpyHostToDevice ? all.from : all.to;
  if (kind == cudaMemcpyDeviceToDevice || is_page_locked(host)) {
    emulated::enqueue(stream, [all] { all.copy(); });
  } else if (kind == cudaMemcpyHostToDevice) {
    std::vector<char> now(all.bytes * all.rows);
    Rows{now.data(), all.bytes, all.from, all.from_pitch, all.bytes, all.rows}.copy();
    emulated::enqueue(stream, [all, now = std::move(now)] {
      Rows{all.to, all.to_pitch, now.data(), all.bytes, all.bytes, all.rows}.copy();
    });
  } else {
    emulated::drain(stream);
    all.copy();
  }
}

}  // namespace

namespace emulated {

void enqueue(EmulatedStream* stream, std::function<void()> work) {
  if (stream == nullptr) return work();
  stream->put({std::move(work)});
}

void drain(EmulatedStream* stream) {
  if (stream != nullptr) drain_to(*stream, kEnd);
}

void drain_all() {
  std::vector<EmulatedStream*> all;
  {
    const std::lock_guard lock(guard);
    all.assign(streams().begin(), streams().end());
  }
  for (EmulatedStream* stream : all) drain(stream);
}

}  // namespace emulated

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  *stream = new EmulatedStream;
  const std::lock_guard lock(guard);
  streams().insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  emulated::drain(stream);
  const std::lock_guard lock(guard);
  streams().erase(stream);  // not deleted: another thread may be draining it
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (emulated::fails("cudaStreamSynchronize")) return cudaErrorInvalidValue;
  emulated::drain(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  const Record record = last_record(*event);
  if (record.stream != nullptr) stream->put({{}, record.stream, record.place});
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) {
  *event = new EmulatedEvent;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard lock(event->guard);
  event->is_done = false;
  emulated::enqueue(stream, [event] {
    const std::lock_guard of_event(event->guard);
    event->time = std::chrono::steady_clock::now();
    event->is_done = true;
  });
  const std::lock_guard of_stream(stream->guard);
  event->stream = stream;
  event->place = stream->enqueued;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const Record record = last_record(*event);
  if (record.stream != nullptr) drain_to(*record.stream, record.place);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begun, cudaEvent_t ended) {
  const std::scoped_lock lock(begun->guard, ended->guard);
  if (!begun->is_done || !ended->is_done) return cudaErrorInvalidValue;
  *milliseconds = std::chrono::duration<float, std::milli>(ended->time - begun->time).count();
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  if (emulated::fails("cudaMallocHost")) return cudaErrorMemoryAllocation;
  *memory = std::malloc(bytes);
  const std::lock_guard lock(guard);
  page_locked()[static_cast<const char*>(*memory)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  emulated::drain_all();
  {
    const std::lock_guard lock(guard);
    page_locked().erase(static_cast<const char*>(memory));
  }
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  require(to, from, bytes, kind);
  std::memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  require(to, from, bytes, kind);
  copy_in_order({to, bytes, from, bytes, bytes, 1}, kind, stream);
  return cudaSuccess;
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  if (width > to_pitch || width > from_pitch) return cudaErrorInvalidValue;
  if (width == 0 || height == 0) return cudaSuccess;
  require(to, from, (height - 1) * std::min(to_pitch, from_pitch) + width, kind);
  copy_in_order({to, to_pitch, from, from_pitch, width, height}, kind, stream);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  emulated::require_device(memory, bytes);
  emulated::enqueue(stream, [=] { std::memset(memory, value, bytes); });
  return cudaSuccess;
}
