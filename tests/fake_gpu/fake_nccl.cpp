// Takes the place of libnccl.so.2: all-reduces over a file that all processes map, without
// blocking.
//   KOINE_FAKE_FAULT="KIND RANK CALL"   at its CALLth all-reduce (0: the set-up), RANK
//     delay  joins half a second late            fail   finds NCCL's communicator broken
//     lose   never joins, though it begins       hang   never begins: the call does not return
//     kill   dies
//   KOINE_FAKE_FOLDER   where the file lies, and `aborts`: a line "RANK" per ncclCommAbort
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "comm/gpu_library.hpp"
#include "fake_stream.hpp"

namespace {

namespace abi = koine::comm::abi;
using Clock = std::chrono::steady_clock;
constexpr int kSystemError = 2, kInvalidArgument = 4;
constexpr int kMostRanks = 8;
constexpr std::size_t kMostBytes = 4 << 20;

struct Shared {
  std::atomic<std::int64_t> arrived[kMostRanks];  ///< at all-reduce n; 1 more than that
  /// Of odd and of even all-reduces: a process begins n + 2 only after all have begun n + 1, and so
  /// have read n.
  unsigned char data[2][kMostRanks][kMostBytes];
};

struct Comm {
  Shared* shared = nullptr;
  std::string path;
  int rank = 0, size = 0, status = abi::kInProgress;
  std::int64_t calls = 0;
  bool is_aborted = false;
  // The all-reduce in progress.
  void* to = nullptr;
  std::size_t count = 0;
  int type = 0;
  Clock::time_point joins;
};

std::string setting(const char* name, const char* otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : otherwise;
}

std::string folder() {
  return setting("KOINE_FAKE_FOLDER", "/tmp");
}

bool is_fault(const Comm& comm, const std::string& kind) {
  std::istringstream fault(setting("KOINE_FAKE_FAULT", ""));
  std::string word;
  int rank = -1;
  std::int64_t call = -1;
  fault >> word >> rank >> call;
  return word == kind && rank == comm.rank && call == comm.calls;
}

void suffer(Comm& comm) {
  if (is_fault(comm, "kill")) std::raise(SIGKILL);
  while (is_fault(comm, "hang")) std::this_thread::sleep_for(std::chrono::seconds(1));
  if (is_fault(comm, "fail")) comm.status = kSystemError;
  comm.joins = Clock::now();
  if (is_fault(comm, "delay")) comm.joins += std::chrono::milliseconds(500);
  if (is_fault(comm, "lose")) comm.joins = Clock::time_point::max();
}

/// Joins when it is time to. Whether all have.
bool is_met(Comm& comm) {
  if (Clock::now() >= comm.joins) comm.shared->arrived[comm.rank] = comm.calls + 1;
  for (int rank = 0; rank < comm.size; ++rank) {
    if (comm.shared->arrived[rank] <= comm.calls) return false;
  }
  return true;
}

template <typename T>
void add_up(const Comm& comm) {
  auto* sums = static_cast<T*>(comm.to);
  const auto* parts = comm.shared->data[comm.calls % 2];
  for (std::size_t i = 0; i < comm.count; ++i) {
    T sum = reinterpret_cast<const T*>(parts[0])[i];
    for (int rank = 1; rank < comm.size; ++rank) sum += reinterpret_cast<const T*>(parts[rank])[i];
    sums[i] = sum;
  }
}

bool advance(void* work) {
  Comm& comm = *static_cast<Comm*>(work);
  if (!is_met(comm)) return false;
  comm.type == abi::kInt64 ? add_up<std::int64_t>(comm) : add_up<double>(comm);
  return true;
}

}  // namespace

// The names are NVIDIA's. NOLINTBEGIN(readability-identifier-naming)
FAKE_API const char* ncclGetErrorString(int status) {
  return status == kSystemError ? "unhandled system error" : "invalid argument";
}
FAKE_API const char* ncclGetLastError(void*) {
  return "fake";
}
FAKE_API int ncclGetVersion(int* version) {
  *version = std::stoi(setting("KOINE_FAKE_NCCL_VERSION", "22809"));
  return abi::kSuccess;
}
FAKE_API int ncclGetUniqueId(abi::UniqueId* id) {
  static int made = 0;
  std::snprintf(id->bytes.data(), id->bytes.size(), "%s/fake-nccl.%d.%d", folder().c_str(),
                static_cast<int>(::getpid()), made++);
  const int file = ::open(id->bytes.data(), O_RDWR | O_CREAT | O_EXCL, 0600);
  const bool is_made = file >= 0 && ::ftruncate(file, sizeof(Shared)) == 0;
  if (file >= 0) ::close(file);
  return is_made ? abi::kSuccess : kSystemError;
}
FAKE_API int ncclCommInitRankConfig(void** made, int size, abi::UniqueId id, int rank,
                                    abi::Config* config) {
  if (config->size != sizeof(abi::Config) || config->magic != 0xcafebeef || config->blocking != 0 ||
      size > kMostRanks)
    return kInvalidArgument;
  const int file = ::open(id.bytes.data(), O_RDWR);
  if (file < 0) return kSystemError;
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) return kSystemError;
  auto* comm = new Comm;
  comm->shared = static_cast<Shared*>(memory);
  comm->path = id.bytes.data();
  comm->rank = rank;
  comm->size = size;
  *made = comm;
  suffer(*comm);
  return abi::kInProgress;
}
FAKE_API int ncclCommGetAsyncError(void* handle, int* status) {
  Comm& comm = *static_cast<Comm*>(handle);
  *status = comm.status;
  const bool is_set_up = comm.calls > 0 || is_met(comm);
  if (is_set_up && comm.rank == 0) ::unlink(comm.path.c_str());  // all have mapped it
  if (comm.status == abi::kInProgress && is_set_up) comm.status = abi::kSuccess;  // the next time
  return abi::kSuccess;
}
FAKE_API int ncclAllReduce(const void* from, void* to, std::size_t count, int type, int operation,
                           void* handle, void* stream) {
  Comm& comm = *static_cast<Comm*>(handle);
  const bool is_known = type == abi::kInt64 || type == abi::kFloat64;
  if (!is_known || operation != abi::kSum || count * 8 > kMostBytes) return kInvalidArgument;
  ++comm.calls;
  comm.status = abi::kInProgress;
  comm.to = to;
  comm.count = count;
  comm.type = type;
  std::memcpy(comm.shared->data[comm.calls % 2][comm.rank], from, count * 8);
  suffer(comm);
  static_cast<FakeStream*>(stream)->advance = advance;
  static_cast<FakeStream*>(stream)->work = &comm;
  return abi::kInProgress;
}
FAKE_API int ncclCommFinalize(void*) {
  return abi::kSuccess;
}
FAKE_API int ncclCommDestroy(void* handle) {
  ::munmap(static_cast<Comm*>(handle)->shared, sizeof(Shared));
  delete static_cast<Comm*>(handle);
  return abi::kSuccess;
}
/// The communicator is kept, so that a second abort is seen.
FAKE_API int ncclCommAbort(void* handle) {
  Comm& comm = *static_cast<Comm*>(handle);
  if (comm.is_aborted) std::abort();
  comm.is_aborted = true;
  const int file = ::open((folder() + "/aborts").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const std::string line = std::to_string(comm.rank) + "\n";
  const bool is_noted = ::write(file, line.data(), line.size()) > 0;
  ::close(file);
  return is_noted ? abi::kSuccess : kSystemError;
}
// NOLINTEND(readability-identifier-naming)
