#include "comm/mpi.hpp"

#include <array>
#include <cstdlib>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "core/error.hpp"

namespace koine::comm {
namespace {

int to_mpi_count(std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw CommError(
        fmt::format("a message of {} elements is more than MPI counts; send it in pieces", count));
  }
  return static_cast<int>(count);
}

/// The texts that lie one after the other in `all`.
std::vector<std::string> cut(const std::string& all, const std::vector<int>& lengths) {
  std::vector<std::string> texts;
  std::size_t at = 0;
  for (const int length : lengths) {
    texts.push_back(all.substr(at, static_cast<std::size_t>(length)));
    at += static_cast<std::size_t>(length);
  }
  return texts;
}

/// Open MPI's mpirun started all processes here.
bool is_one_machine() {
  const char* all = std::getenv("OMPI_COMM_WORLD_SIZE");
  const char* here = std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  return all != nullptr && here != nullptr && std::string_view(all) == here;
}

/// Open MPI does not look for a network where there is nobody to reach by it: that takes longer
/// than all that processes tell each other. A user's OMPI_MCA_pml stands (a parameter file's
/// does not); commands that are run later see none.
void start_mpi() {
  constexpr const char* kMessaging = "OMPI_MCA_pml";
  const bool is_asked = is_one_machine() && std::getenv(kMessaging) == nullptr;
  if (is_asked) ::setenv(kMessaging, "ob1", 1);
  int level = 0;
  const int status = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level);
  if (is_asked) ::unsetenv(kMessaging);
  check(status);
}

}  // namespace

void check(int status, std::source_location at) {
  if (status == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(status, text.data(), &length);
  throw CommError(fmt::format("MPI: {} ({}:{})", text.data(), at.file_name(), at.line()));
}

Mpi::Mpi(const std::optional<StallLimit>& stall) {
  ::setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  int level = 0, is_running = 0;
  check(MPI_Initialized(&is_running));
  owns_library_ = is_running == 0;
  if (owns_library_) start_mpi();
  check(MPI_Query_thread(&level));
  check(MPI_Comm_dup(MPI_COMM_WORLD, &world_));
  check(MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN));
  check(MPI_Comm_rank(world_, &rank_));
  check(MPI_Comm_size(world_, &size_));
  if (stall && size_ > 1 && level >= MPI_THREAD_SERIALIZED)
    heartbeat_ = std::make_unique<Heartbeat>(world_, guard_, *stall);
}

Mpi::~Mpi() {
  int is_over = 0;
  MPI_Finalized(&is_over);
  if (is_over != 0) return;
  if (heartbeat_) heartbeat_->leave();
  MPI_Comm_free(&world_);
  if (owns_library_) MPI_Finalize();
}

template <typename Start>
void Mpi::run(Start&& start) {
  MPI_Request request = MPI_REQUEST_NULL;
  const auto is_done = [&] {
    const std::lock_guard lock(guard_);
    int done = 0;
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    return done != 0;
  };
  try {
    {
      const std::lock_guard lock(guard_);
      check(start(&request));
    }
    wait_until(is_done);
  } catch (...) {
    if (heartbeat_) heartbeat_->halt();
    throw;
  }
}

template <typename T>
void Mpi::reduce(std::span<T> data, MPI_Datatype type) {
  const int count = to_mpi_count(data.size());
  run([&](MPI_Request* request) {
    return MPI_Iallreduce(MPI_IN_PLACE, data.data(), count, type, MPI_SUM, world_, request);
  });
}

void Mpi::broadcast(std::string& text) {
  auto bytes = static_cast<std::int64_t>(text.size());
  run([&](MPI_Request* request) { return MPI_Ibcast(&bytes, 1, MPI_INT64_T, 0, world_, request); });
  text.resize(static_cast<std::size_t>(bytes));
  const int count = to_mpi_count(text.size());
  run([&](MPI_Request* request) {
    return MPI_Ibcast(text.data(), count, MPI_CHAR, 0, world_, request);
  });
}

void Mpi::all_reduce_sum(std::span<double> slots) {
  for (double& slot : slots) slot += 0.0;  // -0 as +0: the sum must not tell one process from two
  reduce(slots, MPI_DOUBLE);
}

void Mpi::all_reduce_sum(std::span<std::int64_t> counts) {
  reduce(counts, MPI_INT64_T);
}

std::vector<std::string> Mpi::gather(const std::string& text) {
  const int mine = to_mpi_count(text.size());
  std::vector<int> lengths(static_cast<std::size_t>(is_root() ? size_ : 0)), starts(lengths.size());
  run([&](MPI_Request* request) {
    return MPI_Igather(&mine, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, world_, request);
  });
  std::size_t total = 0;
  for (std::size_t r = 0; r < lengths.size(); ++r) {
    starts[r] = to_mpi_count(total);
    total += static_cast<std::size_t>(lengths[r]);
  }
  std::string all(total, '\0');
  run([&](MPI_Request* request) {
    return MPI_Igatherv(text.data(), mine, MPI_CHAR, all.data(), lengths.data(), starts.data(),
                        MPI_CHAR, 0, world_, request);
  });
  return cut(all, lengths);
}

void Mpi::barrier() {
  run([&](MPI_Request* request) { return MPI_Ibarrier(world_, request); });
}

void Mpi::abort(int exit_code) {
  const std::lock_guard lock(guard_);
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

std::unique_ptr<Communicator> make_mpi(const std::optional<StallLimit>& stall) {
  return std::make_unique<Mpi>(stall);
}

}  // namespace koine::comm
