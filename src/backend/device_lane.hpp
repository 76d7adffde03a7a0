#pragma once

#include <cstdint>
#include <span>

#include "backend/cuda_library.hpp"
#include "backend/elementwise.hpp"
#include "core/shape.hpp"

namespace koine::backend {

/// One host thread's place on a GPU: a tensor at a time, and a batch of its task vectors, one in
/// each of `slots` slots. Coarse questions, each answered when it returns. Not thread-safe.
/// Everything
/// @throws DeviceError
class DeviceLane {
 public:
  DeviceLane(const CudaLibrary& library, int device, int slots);
  ~DeviceLane();
  DeviceLane(const DeviceLane&) = delete;
  DeviceLane& operator=(const DeviceLane&) = delete;

  [[nodiscard]] int slots() const noexcept { return slots_; }
  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::int64_t cols() const noexcept { return cols_; }

  /// A tensor begins: its base as stored (no bytes: zeros); sum and signs are cleared. Whether all
  /// of it is finite.
  /// @pre takes(base.dtype)
  [[nodiscard]] bool start(std::int64_t rows, std::int64_t cols, const RawSpan& base);
  /// tau of a slot.  @pre takes(expert.dtype)
  TaskVectorFigures put(int slot, const RawSpan& expert);
  void clear(int slot);  ///< tau of a slot that nobody has: zero
  void fetch_task_vector(int slot, std::span<float> tau);

  /// Pairs of every slot, and of one (cuda_table.hpp: krylov, dense_pairs).
  /// @pre answers.size() == slots(); values.size() == count
  void krylov(const cuda::KrylovAsk& ask, std::span<cuda::KrylovAnswer> answers);
  [[nodiscard]] bool dense_pairs(int slot, cuda::DenseSolver solver, std::span<double> values);
  struct Judgement {
    double residual = 0;  ///< max |G u - theta u| / theta_1
    double defect = 0;    ///< max |U^T U - I|
  };
  [[nodiscard]] Judgement judge(int slot, std::int64_t kept);
  /// Whether c I - (G - sum over the first `kept` pairs of theta u u^T) is positive definite.
  [[nodiscard]] bool is_definite(int slot, std::int64_t kept, double c);
  /// u [short, count] column-major; b [width, long] row-major, rounded once.
  void factors(int slot, std::span<double> u, std::span<float> b);

  /// M of a slot begins; returns |M|_F^2.
  double begin_m(int slot, cuda::LowPart kind, const cuda::FactorArrays* factors = nullptr);
  [[nodiscard]] cuda::Threshold kth_largest(int slot, std::int64_t k);
  std::int64_t take_kept(int slot, const cuda::Threshold& threshold);  ///< entries taken
  double add(double weight);                                           ///< M into the sum; |M|_F^2

  /// The rounded result of all elements.
  cuda::FinishFacts finish(const cuda::FinishAsk& ask, std::span<std::byte> out);

  /// Whether elements of this type are worked on there.
  [[nodiscard]] static bool takes(DType dtype) noexcept {
    return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
  }

 private:
  template <typename... Parameters, typename... Arguments>
  void ask(int (*function)(cuda::Lane*, Parameters...), Arguments... arguments);

  const cuda::Table& table_;
  cuda::Lane* lane_ = nullptr;
  int slots_;
  std::int64_t rows_ = 0, cols_ = 0;
};

}  // namespace koine::backend
