#include <array>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <source_location>
#include <thread>

#include <fmt/format.h>
#include <mpi.h>

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "core/stop.hpp"

namespace koine::comm {
namespace {

void check(int status, std::source_location at = std::source_location::current()) {
  if (status == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(status, text.data(), &length);
  throw CommError(fmt::format("MPI: {} ({}:{})", text.data(), at.file_name(), at.line()));
}

int to_mpi_count(std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw CommError(
        fmt::format("a message of {} elements is more than MPI counts; send it in pieces", count));
  }
  return static_cast<int>(count);
}

/// Waits for a request without burning the core that another process may need; a stop request ends
/// the wait.
void wait(MPI_Request request) {
  using namespace std::chrono_literals;
  auto pause = 20us;
  for (int is_done = 0;;) {
    check(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE));
    if (is_done != 0) return;
    throw_if_stopped();
    std::this_thread::sleep_for(pause);
    if (pause < 2000us) pause *= 2;
  }
}

class Mpi final : public Communicator {
 public:
  Mpi() {
    ::setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    int provided = 0, is_running = 0;
    check(MPI_Initialized(&is_running));
    owns_library_ = is_running == 0;
    if (owns_library_) check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
    check(MPI_Comm_dup(MPI_COMM_WORLD, &world_));
    check(MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN));
    check(MPI_Comm_rank(world_, &rank_));
    check(MPI_Comm_size(world_, &size_));
  }
  ~Mpi() override {
    int is_over = 0;
    MPI_Finalized(&is_over);
    if (is_over != 0) return;
    MPI_Comm_free(&world_);
    if (owns_library_) MPI_Finalize();
  }
  Mpi(const Mpi&) = delete;
  Mpi& operator=(const Mpi&) = delete;

  [[nodiscard]] RankId rank() const override { return {rank_}; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string name() const override { return "mpi"; }

  void broadcast(std::string& text) override {
    auto bytes = static_cast<std::int64_t>(text.size());
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibcast(&bytes, 1, MPI_INT64_T, 0, world_, &request));
    wait(request);
    text.resize(static_cast<std::size_t>(bytes));
    check(MPI_Ibcast(text.data(), to_mpi_count(text.size()), MPI_CHAR, 0, world_, &request));
    wait(request);
  }

  void all_reduce_sum(std::span<double> slots) override {
    for (double& slot : slots) slot += 0.0;  // -0 as +0: the sum must not tell one process from two
    reduce(slots.data(), slots.size(), MPI_DOUBLE);
  }
  void all_reduce_sum(std::span<std::int64_t> counts) override {
    reduce(counts.data(), counts.size(), MPI_INT64_T);
  }

  [[nodiscard]] std::vector<std::string> gather(const std::string& text) override {
    const int mine = to_mpi_count(text.size());
    std::vector<int> lengths(static_cast<std::size_t>(size_)),
        starts(static_cast<std::size_t>(size_));
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Igather(&mine, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, world_, &request));
    wait(request);
    std::size_t total = 0;
    for (std::size_t r = 0; r < lengths.size(); ++r) {
      starts[r] = to_mpi_count(total);
      total += static_cast<std::size_t>(lengths[r]);
    }
    std::string all(is_root() ? total : 0, '\0');
    check(MPI_Igatherv(text.data(), mine, MPI_CHAR, all.data(), lengths.data(), starts.data(),
                       MPI_CHAR, 0, world_, &request));
    wait(request);
    std::vector<std::string> texts;
    for (std::size_t r = 0; is_root() && r < lengths.size(); ++r) {
      texts.push_back(
          all.substr(static_cast<std::size_t>(starts[r]), static_cast<std::size_t>(lengths[r])));
    }
    return texts;
  }

  void barrier() override {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(world_, &request));
    wait(request);
  }

  [[noreturn]] void abort(int exit_code) override {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
  }

 private:
  template <typename T>
  void reduce(T* data, std::size_t count, MPI_Datatype type) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallreduce(MPI_IN_PLACE, data, to_mpi_count(count), type, MPI_SUM, world_, &request));
    wait(request);
  }

  MPI_Comm world_ = MPI_COMM_NULL;
  bool owns_library_ = true;  ///< we initialised MPI, so we finalise it
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi() {
  return std::make_unique<Mpi>();
}

}  // namespace koine::comm
