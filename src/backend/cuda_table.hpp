#pragma once

#include <cstdint>

/// What libkoine_cuda.so exports: one C function that gives a table of C functions, so that the
/// program needs neither CUDA nor its headers. Program and library are built together; the version
/// says whether they were.
namespace koine::backend::cuda {

inline constexpr std::int32_t kTableVersion = 4;
inline constexpr const char* kTableSymbol = "koine_cuda_table";

/// Filled by a function that returns anything but 0: one line for the user.
struct Failure {
  char text[512];
};

struct DeviceFacts {
  char name[128];
  char identity[40];          ///< its UUID, in hexadecimal: no two in the world are equal
  std::int32_t major, minor;  ///< compute capability
  std::int64_t memory, free;  ///< bytes
};

/// One host thread's place on a device: library handles, buffers and three streams (to the device,
/// kernels, from the device). Works on matrices of one shape: a base, a sum and signs in each of
/// its "places", a batch of their task vectors in its "slots". Not thread-safe, but for the
/// functions that fill the intake and empty the outlet.
struct Lane;

/// Page-locked buffers on either way.
inline constexpr std::int32_t kIntakeBuffers = 4, kOutletBuffers = 2;

/// [rows, cols] row-major.
struct Shape {
  std::int64_t rows, cols;
  std::int32_t places;
};

/// Elements as a checkpoint stores them: f32, f16 or bf16 as core/dtype.hpp numbers them. In the
/// intake's buffer, or in host memory where that is negative.
struct Stored {
  const void* data;
  std::int32_t buffer;
  std::uint8_t dtype;
};

struct TaskVectorFacts {
  double squared;          ///< |tau|_F^2
  std::int32_t is_finite;  ///< all of it
};

/// How the terms of G = A A^T are multiplied and added, A = tau with its short side first: in
/// float64, or in float32 in sums of kFloat32Chain terms, which are added in float64.
enum class Gram : std::int32_t { float64, float32 };
inline constexpr std::int64_t kFloat32Chain = 256;

/// Pairs of a slot: of a Krylov space of either G, or a dense solver's. Each slot keeps one of
/// each.
enum class PairsOf : std::int32_t { gram_float64, gram_float32, dense };
[[nodiscard]] constexpr PairsOf pairs_of(Gram gram) noexcept {
  return gram == Gram::float32 ? PairsOf::gram_float32 : PairsOf::gram_float64;
}
/// The first `kept` of them.
struct SomePairs {
  PairsOf of;
  std::int64_t kept;
};

/// The largest eigenpairs of G of every slot.
struct KrylovAsk {
  Gram gram;
  std::int64_t count;  ///< pairs; a block has count - 1 vectors
  std::int64_t limit;  ///< vectors of a basis at most
  double target;  ///< |G u - theta u| <= target theta_1 for all but the last, which shows the gap
  const double* start;  ///< [short, count - 1] column-major
};

/// One slot's answer; the arrays are the lane's, valid until its next krylov of this G.
struct KrylovAnswer {
  std::int32_t has_converged;
  std::int64_t blocks, columns;  ///< of the basis Q
  const double* values;  ///< [count], descending; of G in float32: |A^T u|^2 of all but the last
  const double* projection;  ///< H = Q^T G Q [columns, columns] column-major, upper triangle
  const double* coupling;    ///< B [count - 1, count - 1]: G Q = Q H + Q_next [0 .. 0 B]
  const double* ritz;        ///< eigenvectors of H [columns, count]
  double gram_squared;       ///< |G|_F^2
};

enum class DenseSolver : std::int32_t { syevd, gesvdp, gesvdj };

/// As lowrank::Factors stores them, in host memory.
struct FactorArrays {
  const float *u, *b;
  std::int64_t kept;
};

/// How M begins.
enum class LowPart : std::int32_t { zero, whole, product };

struct Threshold {
  std::uint32_t key;
  std::int64_t ties;  ///< entries on the threshold that are taken, lowest index first
};

struct FinishAsk {
  double lambda, divisor;  ///< divisor 0: the sum is not divided
  std::int32_t buffer;     ///< of the outlet
  std::uint8_t out_dtype;
};

struct FinishFacts {
  double base_dot_delta, delta_squared;
  std::int64_t signs_total, signs_agree, overflows;
};

/// Seconds that a lane's copies took so far.
struct CopyTimes {
  double in, out;
};

/// Every function returns 0, or fills the failure. Each waits for its results, but for those that
/// say so. Slots are 0 … slots - 1.
struct Table {
  std::int32_t version;
  int (*device_count)(std::int32_t* count, Failure*);
  int (*device_facts)(std::int32_t device, DeviceFacts*, Failure*);
  int (*libraries)(char* text, std::int32_t size, Failure*);  ///< "CUDA 13.0, cuBLAS 13.1.0, …"
  int (*open)(std::int32_t device, std::int32_t slots, Lane**, Failure*);
  void (*close)(Lane*);

  /// Matrices of this shape begin.
  int (*begin)(Lane*, const Shape*, Failure*);

  /// Memory of an intake buffer, to be filled, once kernels have used what it held; then its copy
  /// begins. May be called by one other thread, for buffers that no put or start is still to use.
  int (*intake)(Lane*, std::int32_t buffer, std::int64_t bytes, void** memory, Failure*);
  int (*send)(Lane*, std::int32_t buffer, std::int64_t bytes, Failure*);

  /// A place's base (null: zeros); its sum and signs are cleared. Does not wait.
  int (*start)(Lane*, std::int32_t place, const Stored* base, Failure*);
  /// tau of a slot from an expert's elements, against the base of `place`; all 0 without them. Does
  /// not wait.
  int (*put)(Lane*, std::int32_t slot, std::int32_t place, const Stored* expert, Failure*);
  /// What was put: one of each slot; whether all of a place's base is finite, one of each place.
  int (*facts)(Lane*, TaskVectorFacts* of_slots, std::int32_t* is_finite, Failure*);
  int (*fetch_task_vector)(Lane*, std::int32_t slot, float* tau, Failure*);

  /// G of every slot, unless it is there; the other one is given up.
  int (*gram)(Lane*, Gram, Failure*);
  /// Of all slots at once. answers: one per slot.
  int (*krylov)(Lane*, const KrylovAsk*, KrylovAnswer* answers, Failure*);
  /// Of one slot; by G in float64, or by tau itself.
  int (*dense_pairs)(Lane*, std::int32_t slot, DenseSolver, std::int64_t count, double* values,
                     std::int32_t* has_converged, Failure*);
  /// max |G u - theta u| / theta_1 over some of the slot's pairs, and max |U^T U - I|; G in
  /// float64.
  int (*judge)(Lane*, std::int32_t slot, const SomePairs*, double* residual, double* defect,
               Failure*);
  /// Of every slot with c > 0: whether c I - (G - sum over some pairs of theta u u^T) has a
  /// Cholesky factorisation, G the one that they are of. c, is_so: one per slot.
  int (*are_definite)(Lane*, const SomePairs*, const double* c, std::int32_t* is_so, Failure*);
  /// u [short, pairs.kept] column-major float64; B = U^T A of as many, of which the first `width`
  /// rows [width, long] come back, rounded once.
  struct FactorsAsk {
    SomePairs pairs;
    std::int64_t width;
  };
  int (*factors)(Lane*, std::int32_t slot, const FactorsAsk*, double* u, float* b, Failure*);

  /// M of a slot begins as nothing, tau, or the product of factors; |M|_F^2.
  int (*low_part)(Lane*, std::int32_t slot, LowPart, const FactorArrays*, double* squared,
                  Failure*);
  /// The k-th largest |tau - M|.  @pre 1 <= k
  int (*kth_largest)(Lane*, std::int32_t slot, std::int64_t k, Threshold*, Failure*);
  /// M <- tau where |tau - M| is kept.
  int (*take_kept)(Lane*, std::int32_t slot, const Threshold*, std::int64_t* taken, Failure*);
  /// sum of a place += weight * double(M); signs of M are noted; |M|_F^2.
  int (*add)(Lane*, std::int32_t place, double weight, double* squared, Failure*);

  /// A place's rounded result begins its way into a buffer of the outlet.
  int (*finish)(Lane*, std::int32_t place, const FinishAsk*, FinishFacts*, Failure*);
  /// The result in that buffer, in host memory until the buffer's next finish. May be called by one
  /// other thread.
  int (*take)(Lane*, std::int32_t buffer, const void** memory, Failure*);
  /// @pre nobody fills or empties a buffer
  int (*copy_times)(Lane*, CopyTimes*, Failure*);
};

}  // namespace koine::backend::cuda
