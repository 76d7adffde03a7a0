#include "backend/cuda/krylov.hpp"

#include <algorithm>
#include <cmath>

#include "backend/cuda/pairs.hpp"
#include "kernels/block_qr.hpp"
#include "kernels/figures.hpp"

namespace koine::cuda {
namespace {

constexpr double kGapTarget = 1e-4;     // of the pair after those that are kept: it shows the gap
constexpr double kNegligible = 1e-14;   // of |G|: what rounding leaves of a vector in the space
constexpr std::int64_t kFirstLook = 6;  // blocks before the first Rayleigh-Ritz step

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

class BatchLanczos {
 public:
  BatchLanczos(Lane& lane, const backend::cuda::KrylovAsk& ask,
               backend::cuda::KrylovAnswer* answers)
      : lane_(lane),
        ask_(ask),
        answers_(answers),
        m_(lane.short_side()),
        width_(ask.count - 1),
        slots_(lane.slots),
        basis_step_(m_ * (ask.limit + width_)),
        square_(ask.limit * ask.limit),
        is_open_(as_size(slots_), true) {}

  void run() {
    make_gram(lane_, ask_.gram);
    start();
    bool is_over = false;
    while (!is_over) {
      extend();
      const bool is_last = columns_ + width_ > ask_.limit;
      if (is_last || is_look()) look();
      is_over = is_last || std::none_of(is_open_.begin(), is_open_.end(), [](bool o) { return o; });
    }
  }

 private:
  [[nodiscard]] double* column(std::int64_t index) const { return lane_.basis.data() + index * m_; }
  /// Every second block, later every fourth.
  [[nodiscard]] bool is_look() const {
    return blocks_ >= kFirstLook && (blocks_ - kFirstLook) % (blocks_ < 14 ? 2 : 4) == 0;
  }
  [[nodiscard]] Matrix whole_basis(cublasOperation_t op) const {
    return {lane_.basis.data(), m_, basis_step_, op};
  }

  void start() {
    const std::int64_t block = width_ * width_;
    double* basis = lane_.basis.reserve(slots_ * basis_step_);
    lane_.projection.reserve(slots_ * square_);
    lane_.coupling.reserve(3 * slots_ * block);
    first_r_ = lane_.coupling.data() + slots_ * block;
    second_r_ = first_r_ + slots_ * block;
    lane_.correction.reserve(slots_ * ask_.limit * width_);
    lane_.scale.reserve(2 * slots_);
    lane_.partials.reserve(slots_ * kernels::partial_sums(m_ * std::max(m_, width_)));
    check(cudaMemsetAsync(lane_.projection.data(), 0, as_size(slots_ * square_) * sizeof(double),
                          lane_.stream.get()));
    lane_.send(ones_.data(), slots_, lane_.ones.reserve(slots_));
    for (std::int64_t s = 0; s < slots_; ++s) {
      lane_.send(ask_.start, m_ * width_, basis + s * basis_step_);
      answers_[s] = {};
    }
    kernels::orthonormalise({basis, m_, width_, basis_step_, slots_}, 0, lane_.ones.data(),
                            first_r_, lane_.queue());
    double* squared = lane_.scale.data() + slots_;
    kernels::squares({lane_.gram.data(), m_ * m_, m_ * m_, slots_}, squared, lane_.partials.data(),
                     lane_.queue());
    gram_squared_.resize(as_size(slots_));
    lane_.fetch(squared, slots_, gram_squared_.data());
    for (std::size_t s = 0; s < is_open_.size(); ++s) {
      if (!std::isfinite(gram_squared_[s])) close(static_cast<std::int64_t>(s));
      is_open_[s] = is_open_[s] && gram_squared_[s] > 0;
    }
  }

  /// A slot whose squares left the range of float32: zeros, so that no solver of the batch meets
  /// what is not finite.
  void close(std::int64_t s) {
    is_open_[as_size(s)] = false;
    check(cudaMemsetAsync(lane_.gram.data() + s * m_ * m_, 0, as_size(m_ * m_) * sizeof(double),
                          lane_.stream.get()));
  }

  /// One block further: G Q_last = Q S + Q_next B, orthogonalised twice against the whole basis.
  void extend() {
    const std::int64_t first = columns_, known = first + width_, block = width_ * width_;
    double* next = column(known);
    const Target w{next, m_, basis_step_};
    const Matrix as_matrix{next, m_, basis_step_};
    double* s = lane_.projection.data() + first * ask_.limit;
    multiply(lane_, {m_, width_, m_, 1, 0, slots_}, {lane_.gram.data(), m_, m_ * m_},
             {column(first), m_, basis_step_}, w);
    if (first == 0) {
      kernels::squares({next, m_ * width_, basis_step_, slots_}, lane_.scale.data(),
                       lane_.partials.data(), lane_.queue());
    }
    multiply(lane_, {known, width_, m_, 1, 0, slots_}, whole_basis(CUBLAS_OP_T), as_matrix,
             {s, ask_.limit, square_});
    multiply(lane_, {m_, width_, known, -1, 1, slots_}, whole_basis(CUBLAS_OP_N),
             {s, ask_.limit, square_}, w);
    const kernels::Blocks next_block{next, m_, width_, basis_step_, slots_};
    kernels::orthonormalise(next_block, kNegligible, lane_.scale.data(), first_r_, lane_.queue());
    remove_what_is_left(known, next, s);
    kernels::orthonormalise(next_block, kNegligible, lane_.ones.data(), second_r_, lane_.queue());
    multiply(lane_, {width_, width_, width_, 1, 0, slots_}, {second_r_, width_, block},
             {first_r_, width_, block}, {lane_.coupling.data(), width_, block});
    columns_ = known;
    ++blocks_;
  }

  /// c = Q^T q of the new block q; q -= Q c, and S += c R so that G Q_last stays what it is.
  void remove_what_is_left(std::int64_t known, double* next, double* s) {
    const std::int64_t step = ask_.limit * width_;
    double* c = lane_.correction.data();
    multiply(lane_, {known, width_, m_, 1, 0, slots_}, whole_basis(CUBLAS_OP_T),
             {next, m_, basis_step_}, {c, ask_.limit, step});
    multiply(lane_, {m_, width_, known, -1, 1, slots_}, whole_basis(CUBLAS_OP_N),
             {c, ask_.limit, step}, {next, m_, basis_step_});
    multiply(lane_, {known, width_, width_, 1, 1, slots_}, {c, ask_.limit, step},
             {first_r_, width_, width_ * width_}, {s, ask_.limit, square_});
  }

  /// Rayleigh-Ritz in every slot; those whose pairs are there are closed.
  void look() {
    const std::int64_t k = columns_, count = ask_.count;
    if (!solve_projections()) {
      std::fill(is_open_.begin(), is_open_.end(), false);
      return;
    }
    double* tails = lane_.tails.reserve(slots_ * width_ * count);
    multiply(lane_, {width_, count, width_, 1, 0, slots_},
             {lane_.coupling.data(), width_, width_ * width_},
             {lane_.ritz.data() + (k - count) * k + k - width_, k, k * k},
             {tails, width_, width_ * count});
    std::vector<double> values(as_size(slots_ * k)), images(as_size(slots_ * width_ * count));
    std::vector<int> info(as_size(slots_));
    lane_.fetch(lane_.ritz_values.data(), slots_ * k, values.data());
    lane_.fetch(tails, slots_ * width_ * count, images.data());
    lane_.fetch(lane_.info.data(), slots_, info.data());
    for (std::int64_t s = 0; s < slots_; ++s) {
      if (!is_open_[as_size(s)]) continue;
      const double* ascending = values.data() + s * k + k - count;
      if (info[as_size(s)] != 0) is_open_[as_size(s)] = false;
      if (info[as_size(s)] != 0 || !is_there(ascending, images.data() + s * width_ * count))
        continue;
      take(s, ascending);
      is_open_[as_size(s)] = false;
    }
  }

  /// |G u_i - theta_i u_i| = |B y|, y the part of the i-th Ritz vector in the last block.
  [[nodiscard]] bool is_there(const double* ascending, const double* images) const {
    const double largest = ascending[ask_.count - 1];
    for (std::int64_t c = 0; c < ask_.count; ++c) {
      double squared = 0;
      for (std::int64_t i = c * width_; i < (c + 1) * width_; ++i) squared += images[i] * images[i];
      const double target = (c > 0 ? ask_.target : kGapTarget) * largest;
      if (!(std::sqrt(squared) <= target)) return false;
    }
    return largest > 0;
  }

  /// Ritz pairs of every slot, ascending: ritz [columns, columns], ritz_values, info. False where
  /// the library refuses.
  bool solve_projections() {
    const std::int64_t k = columns_;
    const std::size_t row = as_size(k) * sizeof(double);
    double* ritz = lane_.ritz.reserve(slots_ * k * k);
    double* values = lane_.ritz_values.reserve(slots_ * k);
    for (std::int64_t s = 0; s < slots_; ++s) {
      check(cudaMemcpy2DAsync(ritz + s * k * k, row, lane_.projection.data() + s * square_,
                              as_size(ask_.limit) * sizeof(double), row, as_size(k),
                              cudaMemcpyDeviceToDevice, lane_.stream.get()));
    }
    std::size_t on_device = 0, on_host = 0;
    if (!has_run(cusolverDnXsyevBatched_bufferSize(lane_.solver.get(), lane_.params.get(),
                                                   CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_UPPER,
                                                   k, CUDA_R_64F, ritz, k, CUDA_R_64F, values,
                                                   CUDA_R_64F, &on_device, &on_host, slots_)))
      return false;
    lane_.host_workspace.resize(on_host);
    return has_run(cusolverDnXsyevBatched(
        lane_.solver.get(), lane_.params.get(), CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_UPPER, k,
        CUDA_R_64F, ritz, k, CUDA_R_64F, values, CUDA_R_64F,
        lane_.solver_workspace.reserve(static_cast<std::int64_t>(on_device)), on_device,
        lane_.host_workspace.data(), on_host, lane_.info.reserve(slots_), slots_));
  }

  /// A slot's pairs, descending, and its space.
  void take(std::int64_t s, const double* ascending) {
    const std::int64_t k = columns_, count = ask_.count;
    Pairs& pairs = lane_.pairs_of(s, backend::cuda::pairs_of(ask_.gram));
    Space& space = lane_.spaces[static_cast<std::size_t>(ask_.gram)][as_size(s)];
    space.values.assign(ascending, ascending + count);
    std::reverse(space.values.begin(), space.values.end());
    const double* ritz = lane_.ritz.data() + s * k * k + (k - count) * k;
    double* turned = lane_.left.reserve(k * count);
    for (std::int64_t c = 0; c < count; ++c) {
      check(cudaMemcpyAsync(turned + c * k, ritz + (count - 1 - c) * k, as_size(k) * sizeof(double),
                            cudaMemcpyDeviceToDevice, lane_.stream.get()));
    }
    multiply(lane_, {m_, count, k}, {lane_.basis.data() + s * basis_step_, m_}, {turned, k},
             {pairs.u.reserve(m_ * count), m_});
    lane_.send(space.values.data(), count, pairs.values.reserve(count));
    pairs.count = count;
    pairs.largest = space.values[0];
    fetch_space(s, turned, space);
    if (ask_.gram == backend::cuda::Gram::float32)
      judge_by_tau(lane_, s, count - 1, space.values.data());
    answers_[s] = {1,
                   blocks_,
                   k,
                   space.values.data(),
                   space.projection.data(),
                   space.coupling.data(),
                   space.ritz.data(),
                   gram_squared_[as_size(s)]};
  }

  void fetch_space(std::int64_t s, const double* turned, Space& space) {
    const std::int64_t k = columns_, block = width_ * width_;
    const std::size_t row = as_size(k) * sizeof(double);
    space.projection.resize(as_size(k * k));
    space.coupling.resize(as_size(block));
    space.ritz.resize(as_size(k * ask_.count));
    check(cudaMemcpy2DAsync(space.projection.data(), row, lane_.projection.data() + s * square_,
                            as_size(ask_.limit) * sizeof(double), row, as_size(k),
                            cudaMemcpyDeviceToHost, lane_.stream.get()));
    lane_.fetch(lane_.coupling.data() + s * block, block, space.coupling.data());
    lane_.fetch(turned, k * ask_.count, space.ritz.data());
  }

  Lane& lane_;
  const backend::cuda::KrylovAsk& ask_;
  backend::cuda::KrylovAnswer* answers_;
  std::int64_t m_, width_, slots_, basis_step_, square_;
  std::vector<bool> is_open_;
  std::vector<double> ones_ = std::vector<double>(as_size(slots_), 1.0);
  std::vector<double> gram_squared_;
  double *first_r_ = nullptr, *second_r_ = nullptr;
  std::int64_t columns_ = 0, blocks_ = 0;
};

}  // namespace

void krylov(Lane& lane, const backend::cuda::KrylovAsk& ask, backend::cuda::KrylovAnswer* answers) {
  BatchLanczos(lane, ask, answers).run();
}

}  // namespace koine::cuda
