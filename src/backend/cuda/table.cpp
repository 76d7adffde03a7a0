#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "backend/cuda/krylov.hpp"
#include "backend/cuda/pairs.hpp"
#include "backend/cuda/tensor.hpp"
#include "backend/cuda_table.hpp"

namespace koine::cuda {
namespace {

namespace abi = backend::cuda;

/// Runs `work`; no exception leaves the library.
template <typename Work>
int guarded(abi::Failure* failure, Work&& work) noexcept {
  try {
    work();
    return 0;
  } catch (const std::exception& error) {
    std::snprintf(failure->text, sizeof failure->text, "%s", error.what());
    return 1;
  }
}

Lane& lane_of(abi::Lane* opaque) {
  Lane& lane = *reinterpret_cast<Lane*>(opaque);
  lane.use();
  return lane;
}

int device_count(std::int32_t* count, abi::Failure* failure) {
  return guarded(failure, [&] {
    int found = 0;
    const cudaError_t status = cudaGetDeviceCount(&found);
    if (status != cudaSuccess) {
      (void)cudaGetLastError();  // clears it
      throw DeviceError(cudaGetErrorString(status));
    }
    *count = found;
  });
}

int device_facts(std::int32_t device, abi::DeviceFacts* facts, abi::Failure* failure) {
  return guarded(failure, [&] {
    cudaDeviceProp properties{};
    std::size_t free_bytes = 0, all = 0;
    check(cudaGetDeviceProperties(&properties, device));
    check(cudaSetDevice(device));
    check(cudaMemGetInfo(&free_bytes, &all));
    std::snprintf(facts->name, sizeof facts->name, "%.127s", properties.name);
    for (std::size_t i = 0; i < sizeof properties.uuid.bytes; ++i) {
      const unsigned byte = static_cast<unsigned char>(properties.uuid.bytes[i]);
      std::snprintf(facts->identity + 2 * i, 3, "%02x", byte);
    }
    facts->major = properties.major;
    facts->minor = properties.minor;
    facts->memory = static_cast<std::int64_t>(all);
    facts->free = static_cast<std::int64_t>(free_bytes);
  });
}

/// "13.1.0"
template <typename Status>
std::string version_of(Status (*property)(libraryPropertyType, int*)) {
  int major = 0, minor = 0, patch = 0;
  check(property(MAJOR_VERSION, &major));
  check(property(MINOR_VERSION, &minor));
  check(property(PATCH_LEVEL, &patch));
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

int libraries(char* text, std::int32_t size, abi::Failure* failure) {
  return guarded(failure, [&] {
    int runtime = 0;
    check(cudaRuntimeGetVersion(&runtime));
    const std::string all = "CUDA " + std::to_string(runtime / 1000) + "." +
                            std::to_string(runtime % 1000 / 10) + ", cuBLAS " +
                            version_of(cublasGetProperty) +
                            (multiplies_pedantically() ? " (pedantic)" : "") + ", cuSOLVER " +
                            version_of(cusolverGetProperty);
    std::snprintf(text, static_cast<std::size_t>(size), "%s", all.c_str());
  });
}

int open_lane(std::int32_t device, std::int32_t slots, abi::Lane** lane, abi::Failure* failure) {
  return guarded(failure, [&] {
    *lane = reinterpret_cast<abi::Lane*>(std::make_unique<Lane>(device, slots).release());
  });
}

void close_lane(abi::Lane* opaque) {
  (void)cudaSetDevice(reinterpret_cast<Lane*>(opaque)->device);
  const std::unique_ptr<Lane> lane(reinterpret_cast<Lane*>(opaque));
}

int begin_group(abi::Lane* lane, const abi::Shape* shape, abi::Failure* failure) {
  return guarded(failure, [&] { begin(lane_of(lane), *shape); });
}

int fill_intake(abi::Lane* lane, std::int32_t buffer, std::int64_t bytes, void** memory,
                abi::Failure* failure) {
  return guarded(failure, [&] { *memory = lane_of(lane).intake.room(buffer, bytes); });
}

int send_intake(abi::Lane* lane, std::int32_t buffer, std::int64_t bytes, abi::Failure* failure) {
  return guarded(failure, [&] { lane_of(lane).intake.send(buffer, bytes); });
}

int start_place(abi::Lane* lane, std::int32_t place, const abi::Stored* base,
                abi::Failure* failure) {
  return guarded(failure, [&] { start(lane_of(lane), place, base); });
}

// NOLINTBEGIN(readability-function-size): the table's own signatures

int put_expert(abi::Lane* lane, std::int32_t slot, std::int32_t place, const abi::Stored* expert,
               abi::Failure* failure) {
  return guarded(failure, [&] { put(lane_of(lane), slot, place, expert); });
}

int fetch_facts(abi::Lane* lane, abi::TaskVectorFacts* of_slots, std::int32_t* is_finite,
                abi::Failure* failure) {
  return guarded(failure, [&] { facts(lane_of(lane), of_slots, is_finite); });
}

int fetch_tau(abi::Lane* lane, std::int32_t slot, float* tau, abi::Failure* failure) {
  return guarded(failure, [&] { fetch_task_vector(lane_of(lane), slot, tau); });
}

int make_grams(abi::Lane* lane, abi::Gram kind, abi::Failure* failure) {
  return guarded(failure, [&] {
    make_gram(lane_of(lane), kind);
    check(cudaStreamSynchronize(lane_of(lane).stream.get()));
  });
}

int krylov_pairs(abi::Lane* lane, const abi::KrylovAsk* ask, abi::KrylovAnswer* answers,
                 abi::Failure* failure) {
  return guarded(failure, [&] { krylov(lane_of(lane), *ask, answers); });
}

int solve_dense(abi::Lane* lane, std::int32_t slot, abi::DenseSolver solver, std::int64_t count,
                double* values, std::int32_t* has_converged, abi::Failure* failure) {
  return guarded(failure, [&] {
    *has_converged = dense_pairs(lane_of(lane), slot, solver, count, values) ? 1 : 0;
  });
}

int judge_pairs(abi::Lane* lane, std::int32_t slot, const abi::SomePairs* some, double* residual,
                double* defect, abi::Failure* failure) {
  return guarded(failure, [&] {
    const Judgement judgement = judge(lane_of(lane), slot, *some);
    *residual = judgement.residual;
    *defect = judgement.defect;
  });
}

int prove(abi::Lane* lane, const abi::SomePairs* some, const double* c, std::int32_t* is_so,
          abi::Failure* failure) {
  return guarded(failure, [&] { are_definite(lane_of(lane), *some, c, is_so); });
}

int factors(abi::Lane* lane, std::int32_t slot, const abi::Table::FactorsAsk* ask, double* u,
            float* b, abi::Failure* failure) {
  return guarded(failure, [&] { fetch_factors(lane_of(lane), slot, *ask, u, b); });
}

int begin_m(abi::Lane* lane, std::int32_t slot, abi::LowPart kind, const abi::FactorArrays* arrays,
            double* squared, abi::Failure* failure) {
  return guarded(failure, [&] { *squared = low_part(lane_of(lane), slot, kind, arrays); });
}

int find_kth(abi::Lane* lane, std::int32_t slot, std::int64_t k, abi::Threshold* threshold,
             abi::Failure* failure) {
  return guarded(failure, [&] { *threshold = kth_largest(lane_of(lane), slot, k); });
}

int take(abi::Lane* lane, std::int32_t slot, const abi::Threshold* threshold, std::int64_t* taken,
         abi::Failure* failure) {
  return guarded(failure, [&] { *taken = take_kept(lane_of(lane), slot, *threshold); });
}

int add_part(abi::Lane* lane, std::int32_t place, double weight, double* squared,
             abi::Failure* failure) {
  return guarded(failure, [&] { *squared = add(lane_of(lane), place, weight); });
}

int finish_place(abi::Lane* lane, std::int32_t place, const abi::FinishAsk* ask,
                 abi::FinishFacts* facts, abi::Failure* failure) {
  return guarded(failure, [&] { *facts = finish(lane_of(lane), place, *ask); });
}

int take_result(abi::Lane* lane, std::int32_t buffer, const void** memory, abi::Failure* failure) {
  return guarded(failure, [&] { *memory = lane_of(lane).outlet.take(buffer); });
}

int copy_times(abi::Lane* lane, abi::CopyTimes* times, abi::Failure* failure) {
  return guarded(failure, [&] {
    Lane& own = lane_of(lane);
    *times = {own.intake.seconds(), own.outlet.seconds()};
  });
}

// NOLINTEND(readability-function-size)

constexpr abi::Table kTable{abi::kTableVersion, device_count, device_facts, libraries,
                            open_lane,          close_lane,   begin_group,  fill_intake,
                            send_intake,        start_place,  put_expert,   fetch_facts,
                            fetch_tau,          make_grams,   krylov_pairs, solve_dense,
                            judge_pairs,        prove,        factors,      begin_m,
                            find_kth,           take,         add_part,     finish_place,
                            take_result,        copy_times};

}  // namespace
}  // namespace koine::cuda

extern "C" __attribute__((visibility("default"))) const koine::backend::cuda::Table*
koine_cuda_table() {
  return &koine::cuda::kTable;
}
