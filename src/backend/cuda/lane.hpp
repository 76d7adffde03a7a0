#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "backend/cuda/handles.hpp"
#include "backend/cuda/rings.hpp"
#include "backend/cuda_table.hpp"
#include "core/dtype.hpp"
#include "kernels/dense.hpp"
#include "kernels/panels.hpp"
#include "kernels/stream.hpp"

namespace koine::cuda {

/// Whether cuBLAS multiplies float64 in its pedantic mode, which leaves tensor cores out: where it
/// was told to emulate float64 (CUBLAS_EMULATE_DOUBLE_PRECISION), that mode keeps it from doing so.
/// Shapes bits: the manifest's arithmetic says it.
[[nodiscard]] bool multiplies_pedantically();

/// What a Krylov space says of one slot, in host memory (backend/cuda_table.hpp: KrylovAnswer).
struct Space {
  std::vector<double> values, projection, coupling, ritz;
};

/// Pairs of a slot: u_i [short, count] column-major, descending, and theta_i. Of G in float32: also
/// what A says of all but the last, A A^T u_i.
struct Pairs {
  Buffer<double> u, values, images;
  std::int64_t count = 0;
  double largest = 0;  ///< theta_1
};

/// One of the matrices that a lane works on.
struct Place {
  DType base_dtype = DType::f32;
  Buffer<std::byte> base_raw;
  Buffer<double> sum;
  Buffer<std::uint8_t> seen;

  [[nodiscard]] kernels::RawArray base() const noexcept { return {base_raw.data(), base_dtype}; }
};

/// One host thread's place on a device. All kernels go to one stream in order, through handles of
/// its own with a workspace of their own, so that other lanes change none of its bits; copies of
/// inputs and results have streams of their own.
struct Lane {
  /// @throws DeviceError
  Lane(int device_index, int slot_count);

  /// Makes the lane's device the calling thread's.  @throws DeviceError
  void use() const;
  [[nodiscard]] kernels::Stream* queue() const noexcept {
    return reinterpret_cast<kernels::Stream*>(stream.get());
  }
  [[nodiscard]] std::int64_t count() const noexcept { return rows * cols; }
  [[nodiscard]] std::int64_t short_side() const noexcept { return rows < cols ? rows : cols; }
  [[nodiscard]] std::int64_t long_side() const noexcept { return rows < cols ? cols : rows; }
  [[nodiscard]] kernels::Matrices task_vectors() const noexcept {
    return {tau.data(), rows, cols, count(), slots};
  }

  template <typename T>
  void send(const T* from, std::int64_t elements, T* to) const {
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(elements) * sizeof(T),
                          cudaMemcpyHostToDevice, stream.get()));
  }
  /// Waits until it is there.
  template <typename T>
  void fetch(const T* from, std::int64_t elements, T* to) const {
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(elements) * sizeof(T),
                          cudaMemcpyDeviceToHost, stream.get()));
    check(cudaStreamSynchronize(stream.get()));
  }

  int device, slots;
  Stream stream;
  Buffer<std::byte> blas_workspace;  ///< outlives the handle that works in it
  BlasHandle blas;
  SolverHandle solver;
  SolverParams params;

  Intake intake;
  Outlet outlet;
  std::int64_t rows = 0, cols = 0;
  std::vector<Place> places;  ///< at least open_places
  std::int64_t open_places = 0;
  std::optional<backend::cuda::Gram> gram_is;  ///< of the task vectors that are there now
  Buffer<std::byte> raw;
  Buffer<float> tau, m, factors;     ///< tau: all slots
  Buffer<double> partials, figures;  ///< figures: of slots, of places, of M
  Buffer<std::byte> counters;
  Buffer<std::int64_t> ties;

  Buffer<double> gram, panel;                                       ///< all slots
  Buffer<float> chain;                                              ///< G's last, all slots
  Buffer<double> basis, projection, coupling, correction;           ///< all slots
  Buffer<double> triangles, ones, scale, ritz, ritz_values, tails;  ///< all slots
  Buffer<double> scratch, images, left, right;
  Buffer<double*> matrices;  ///< addresses, for a batched solver
  Buffer<std::byte> solver_workspace;
  std::vector<std::byte> host_workspace;
  Buffer<int> info;
  [[nodiscard]] Pairs& pairs_of(std::int64_t slot, backend::cuda::PairsOf of) {
    return pairs[static_cast<std::size_t>(of)][static_cast<std::size_t>(slot)];
  }
  std::array<std::vector<Pairs>, 3> pairs;   ///< by PairsOf and slot
  std::array<std::vector<Space>, 2> spaces;  ///< by Gram and slot
};

/// gram <- A A^T of every slot, all of the square, unless it is there.  Cost: 2 short^2 long flops
/// a slot.  @throws DeviceError
void make_gram(Lane& lane, backend::cuda::Gram kind);

/// The slot's G.  @throws DeviceError
[[nodiscard]] const double* gram_of(Lane& lane, std::int64_t slot, backend::cuda::Gram kind);
[[nodiscard]] kernels::Matrices task_vector_of(const Lane& lane, std::int64_t slot);
/// What the last solver said of its matrix: waits for it.  @throws DeviceError
[[nodiscard]] int fetch_info(const Lane& lane);

/// A matrix, or one in every slot, column-major in device memory.
struct Matrix {
  const double* data;
  std::int64_t lead, step = 0;
  cublasOperation_t op = CUBLAS_OP_N;
};
struct Target {
  double* data;
  std::int64_t lead, step = 0;
};
struct Multiplication {
  std::int64_t rows, cols, depth;
  double alpha = 1, beta = 0;
  std::int64_t slots = 1;
};
/// c <- alpha op(a) op(b) + beta c, in every slot.  @throws DeviceError
void multiply(Lane& lane, const Multiplication& how, const Matrix& a, const Matrix& b,
              const Target& c);

}  // namespace koine::cuda
