#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/cuda_library.hpp"
#include "backend/elementwise.hpp"
#include "core/shape.hpp"

namespace koine::backend {

/// One host thread's place on a GPU: some matrices of one shape, each in a place of its own, and a
/// batch of their task vectors, one in each of `slots` slots. Coarse questions, each answered when
/// it returns, but for start, clear and put. Not thread-safe but for intake(), send() and take(),
/// which a thread that reads and one that writes may call meanwhile. Everything
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

  /// Matrices of this shape begin, so many at once.
  void begin(std::int64_t rows, std::int64_t cols, int places);

  /// Page-locked memory for elements as stored, to be filled and sent: 0 <= buffer < kIntakes.
  /// Waits until the device has no use for what it held.
  /// @pre what was sent from it before was taken by start or put
  [[nodiscard]] std::span<std::byte> intake(int buffer, std::int64_t bytes);
  void send(int buffer, std::int64_t bytes);  ///< its copy begins
  static constexpr int kIntakes = cuda::kIntakeBuffers;

  /// Elements as a checkpoint stores them, here or in an intake's buffer.
  /// @pre takes(dtype); they outlive the call
  [[nodiscard]] static cuda::Stored stored(const RawSpan& raw) noexcept {
    return {raw.bytes.data(), -1, static_cast<std::uint8_t>(raw.dtype)};
  }
  [[nodiscard]] static cuda::Stored sent(int buffer, DType dtype) noexcept {
    return {nullptr, buffer, static_cast<std::uint8_t>(dtype)};
  }

  /// A place's matrix begins with this base; its sum and signs are cleared.
  void start(int place, const cuda::Stored& base);
  void start_with_zeros(int place);
  void put(int slot, int place, const cuda::Stored& expert);  ///< tau of a slot
  void clear(int slot);  ///< tau of a slot that nobody has: zero
  /// Of what was started and put.
  struct Facts {
    std::vector<TaskVectorFigures> task_vectors;  ///< by slot
    std::vector<bool> base_is_finite;             ///< by place
  };
  [[nodiscard]] Facts facts();
  void fetch_task_vector(int slot, std::span<float> tau);

  /// How this device sums G fastest: in float64 where it makes half as many products in that, else
  /// in float32. A matter of its kind, so that no bit depends on a clock.
  [[nodiscard]] cuda::Gram gram() const noexcept { return gram_; }
  void sum_gram_in(cuda::Gram gram) noexcept { gram_ = gram; }  ///< to compare, or to test

  /// G of every slot, unless it is there.
  void make_gram(cuda::Gram gram);
  /// Pairs of every slot, and of one (cuda_table.hpp: krylov, dense_pairs).
  /// @pre answers.size() == slots(); values.size() == count
  void krylov(const cuda::KrylovAsk& ask, std::span<cuda::KrylovAnswer> answers);
  [[nodiscard]] bool dense_pairs(int slot, cuda::DenseSolver solver, std::span<double> values);
  struct Judgement {
    double residual = 0;  ///< max |G u - theta u| / theta_1
    double defect = 0;    ///< max |U^T U - I|
  };
  [[nodiscard]] Judgement judge(int slot, cuda::SomePairs some);
  /// Of every slot with c > 0: whether c I - (G - sum over some pairs of theta u u^T) is positive
  /// definite; false of the others.  @pre c.size() == slots()
  [[nodiscard]] std::vector<bool> are_definite(cuda::SomePairs some, std::span<const double> c);
  /// u [short, count] column-major; b [width, long] row-major, rounded once.
  void factors(int slot, cuda::PairsOf of, std::span<double> u, std::span<float> b);

  /// M of a slot begins; returns |M|_F^2.
  double begin_m(int slot, cuda::LowPart kind, const cuda::FactorArrays* factors = nullptr);
  [[nodiscard]] cuda::Threshold kth_largest(int slot, std::int64_t k);
  std::int64_t take_kept(int slot, const cuda::Threshold& threshold);  ///< entries taken
  double add(int place, double weight);  ///< M into the place's sum; |M|_F^2

  /// A place's rounded result sets out for a buffer, 0 <= buffer < kOutlets.
  /// @pre what it held was taken, or is of no use
  struct Finish {
    double lambda = 1, divisor = 0;  ///< divisor 0: the sum is not divided
    DType dtype = DType::f32;
  };
  cuda::FinishFacts finish(int place, const Finish& ask, int buffer);
  static constexpr int kOutlets = cuda::kOutletBuffers;
  /// The result there, when it has come. Valid until the buffer's next finish.
  [[nodiscard]] std::span<const std::byte> take(int buffer, std::int64_t bytes);

  /// What kernels are for.
  enum class Work : std::uint8_t { gram, krylov, proof, selection, sum };
  static constexpr std::size_t kKindsOfWork = 5;
  /// Seconds that this lane's resources were busy so far: its copies by the device's clock, its
  /// kernels as the time that answers took.  @pre nobody reads or writes meanwhile
  struct Busy {
    double in = 0, out = 0;
    std::array<double, kKindsOfWork> kernels{};  ///< by Work
  };
  [[nodiscard]] Busy busy();

  /// Whether elements of this type are worked on there.
  [[nodiscard]] static bool takes(DType dtype) noexcept {
    return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
  }

 private:
  template <typename... Parameters, typename... Arguments>
  void call(int (*function)(cuda::Lane*, Parameters...), Arguments... arguments);
  /// The same of what waits for kernels.
  template <typename... Parameters, typename... Arguments>
  void ask(Work work, int (*function)(cuda::Lane*, Parameters...), Arguments... arguments);

  const cuda::Table& table_;
  cuda::Lane* lane_ = nullptr;
  cuda::Gram gram_;
  int slots_;
  int places_ = 0;
  std::int64_t rows_ = 0, cols_ = 0;
  std::array<double, kKindsOfWork> kernel_seconds_{};
};

}  // namespace koine::backend
