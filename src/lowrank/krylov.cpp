#include "lowrank/krylov.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <cblas.h>

#include "lowrank/block_products.hpp"
#include "lowrank/small_pairs.hpp"
#include "lowrank/start_block.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {
namespace {

constexpr double kGapTarget = 1e-4;  // of the pair after those that are kept: it only shows the gap
constexpr double kNegligible = 1e-14;  // of |G|: what rounding leaves of a vector inside the space
constexpr double kLong = 0.1;  // of a vector, left without the space: rounding is ten times as much
constexpr std::int64_t kMostBlocks = 32;
constexpr std::int64_t kFirstCheck = 7;  // blocks before the first Rayleigh-Ritz step
constexpr std::int64_t kFirstCheckNearby = 2;
constexpr std::int64_t kLongestWait = 8;  // blocks between two of them

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}
int as_blas(std::int64_t n) {
  return static_cast<int>(n);
}

std::int64_t block_width(std::int64_t short_side, std::int64_t count) noexcept {
  return std::min(short_side, count - 1);
}

/// c [rows, cols] <- alpha op(a) b + beta c, column-major and packed.
// NOLINTNEXTLINE(readability-function-size): BLAS' own parameters, less those that packing gives
void multiply(CBLAS_TRANSPOSE op, std::int64_t rows, std::int64_t cols, std::int64_t depth,
              double alpha, const double* a, const double* b, double beta, double* c) {
  const int lead = as_blas(op == CblasNoTrans ? rows : depth);
  cblas_dgemm(CblasColMajor, op, CblasNoTrans, as_blas(rows), as_blas(cols), as_blas(depth), alpha,
              a, lead, b, as_blas(depth), beta, c, as_blas(rows));
}

class BlockLanczos {
 public:
  BlockLanczos(std::int64_t short_side, const KrylovAim& aim, const ApplyGram& apply,
               KrylovSpace& space, Workspace& workspace)
      : m_(short_side),
        aim_(aim),
        count_(aim.count),
        apply_(apply),
        width_(aim.start == nullptr ? block_width(short_side, aim.count) : aim.count),
        limit_(basis_limit(short_side, width_ + 1)),
        work_(workspace),
        space_(space),
        waited_(aim.start == nullptr ? kFirstCheck : kFirstCheckNearby),
        before_(1 / aim.target) {
    space_.columns = space_.blocks = 0;
    space_.is_judged = false;
    space_.lead = limit_;
    space_.projection.reserve(as_size(limit_ * limit_));
    space_.coupling.reserve(as_size(width_ * width_));
    space_.inner.reserve(as_size(2 * limit_ * width_));
    space_.small.reserve(as_size(3 * width_ * width_ + width_));
    work_.values.reserve(as_size(m_));
  }

  bool run() {
    start();
    for (std::int64_t wait = waited_; width_ > 0 && space_.columns + width_ <= limit_;) {
      if (wait == 1 && looks_sufficient()) return true;
      extend();
      if (--wait > 0 && width_ > 0) continue;
      const double worst = rayleigh_ritz();
      if (worst <= 1) {
        take_vectors();
        take_residuals();
        return true;
      }
      wait = blocks_to_wait(worst);
      if (wait == 0) return false;
    }
    return false;
  }

 private:
  [[nodiscard]] double* column(std::int64_t index) { return space_.basis.data() + index * m_; }

  void start() {
    double* block = space_.basis.reserve(as_size(m_ * (limit_ + width_ + kStripe)));
    if (aim_.start == nullptr) {
      fill_start_block({block, as_size(m_ * width_)});
    } else {
      std::copy_n(aim_.start, m_ * width_, block);
    }
    width_ = orthonormalise({m_, width_, block}, 0, space_.small.data(), space_.qr);
  }

  /// One block further: G Q_last = Q S + Q_next B, orthogonalised twice against the whole basis,
  /// once where it hardly lies in it (twice is enough: Kahan and Parlett).
  void extend() {
    const std::int64_t first = space_.columns, known = first + width_;
    double* next = column(known);
    double* s = space_.inner.data();
    double* correction = s + limit_ * width_;
    double* r = space_.small.data();
    apply_(width_, column(first), next);
    if (first == 0) scale_ = cblas_dnrm2(as_blas(m_ * width_), next, 1);
    double* lengths = r + 3 * width_ * width_;
    for (std::int64_t j = 0; j < width_; ++j)
      lengths[j] = cblas_dnrm2(as_blas(m_), next + j * m_, 1);
    remove_basis(known, width_, next, s);
    std::int64_t kept = orthonormalise({m_, width_, next}, kNegligible * scale_, r, space_.qr);
    if (kept > 0 && !stayed_long(r, lengths)) {
      remove_basis(known, kept, next, correction);
      multiply(CblasNoTrans, known, width_, kept, 1.0, correction, r, 1.0, s);
    }
    if (kept > 0) kept = polish(kept, next);
    for (std::int64_t j = 0; j < width_; ++j)
      std::copy_n(s + j * known, known, space_.projection.data() + (first + j) * limit_);
    space_.columns = known;
    ++space_.blocks;
    space_.last_width = width_;
    space_.coupling_rows = width_ = kept;
  }

  /// Whether no vector lost much of its length to the space and to the vectors before it.
  [[nodiscard]] bool stayed_long(const double* r, const double* lengths) const {
    if (!space_.qr.is_triangular) return false;
    for (std::int64_t j = 0; j < width_; ++j) {
      if (!(r[j * (width_ + 1)] >= kLong * lengths[j])) return false;
    }
    return true;
  }

  /// inner [known, width] <- Q^T w, then w <- w - Q inner. Behind a narrow w there is room for
  /// vectors that are computed with it and not looked at.
  void remove_basis(std::int64_t known, std::int64_t width, double* w, double* inner) {
    const BlockProducts<double, double>& kernel = fastest_products<double, double>();
    const Columns<double> basis{space_.basis.data(), known, m_, m_};
    double* products = work_.stripes.reserve(as_size(known * kStripe));
    for (std::int64_t first = 0; first < width; first += kStripe) {
      kernel.inner_products(basis, w + first * m_, products);
      columns_of_block(products, known, std::min(kStripe, width - first), inner + first * known);
      for (std::int64_t i = 0; i < known * kStripe; ++i) products[i] = -products[i];
      kernel.combine(basis, products, Onto::out, w + first * m_);
    }
  }

  /// The new block is orthonormal but for rounding. B <- R2 R1.
  std::int64_t polish(std::int64_t kept, double* next) {
    double* first_r = space_.small.data();
    double* second_r = first_r + width_ * width_;
    kept = orthonormalise({m_, kept, next}, kNegligible, second_r, space_.qr);
    multiply(CblasNoTrans, kept, width_, kept, 1.0, second_r, first_r, 0.0, space_.coupling.data());
    return kept;
  }

  /// With the last block in Q but G not yet applied to it: H has B^T above what look.within gives.
  bool looks_sufficient() {
    const std::int64_t first = space_.columns, known = first + width_;
    if (aim_.look == nullptr || !is_near_ || first == 0 || known < count_) return false;
    double* inner = space_.inner.data();
    aim_.look->within(width_, column(first), inner);
    for (std::int64_t j = 0; j < width_; ++j) {
      double* h = space_.projection.data() + (first + j) * limit_;
      std::fill_n(h, first, 0.0);
      for (std::int64_t i = 0; i < space_.last_width; ++i)
        h[first - space_.last_width + i] = space_.coupling.data()[i * width_ + j];
      std::copy_n(inner + j * width_, width_, h + first);
    }
    space_.columns = known;
    if (find_ritz()) {
      take_vectors();
      if (aim_.look->suffices()) {
        ++space_.blocks;
        space_.is_judged = true;
        return true;
      }
    }
    space_.columns = first;
    return false;
  }

  /// The largest pairs of H.
  bool find_ritz() {
    const std::int64_t k = space_.columns;
    found_ = std::min(count_, k);
    double* vectors = space_.ritz.reserve(as_size(k * found_));
    return largest_small_pairs({space_.projection.data(), k, limit_}, found_, work_.values.data(),
                               vectors, work_);
  }

  /// The largest pairs of H, and how far the worst of them is from its target: at most 1 is there.
  double rayleigh_ritz() {
    if (!find_ritz()) return std::numeric_limits<double>::infinity();
    const double* values = work_.values.data();
    double worst = found_ < count_ && width_ > 0 ? std::numeric_limits<double>::infinity() : 0;
    for (std::int64_t i = 0; i < found_ && width_ > 0; ++i) {
      const bool shows_the_gap = aim_.start == nullptr && i + 1 == count_;
      const double target = (shows_the_gap ? kGapTarget : aim_.target) * values[0];
      worst = std::max(worst, residual(i) / target);
    }
    return worst;
  }

  /// |G u_i - theta_i u_i| = |B y|, y the part of the i-th Ritz vector in the last block.
  double residual(std::int64_t i) {
    const std::int64_t rows = space_.coupling_rows;
    const double* y = space_.ritz.data() + (i + 1) * space_.columns - space_.last_width;
    double* image = space_.small.data();
    cblas_dgemv(CblasColMajor, CblasNoTrans, as_blas(rows), as_blas(space_.last_width), 1.0,
                space_.coupling.data(), as_blas(rows), y, 1, 0.0, image, 1);
    return cblas_dnrm2(as_blas(rows), image, 1);
  }

  /// The blocks until the next look; 0 where it will not get there. From how fast the residual
  /// fell, from |G| before the first block: it falls faster and faster, so half of the way by that.
  std::int64_t blocks_to_wait(double worst) {
    const double fall = std::log(before_ / worst) / static_cast<double>(waited_);
    const double needed = fall > 0 ? std::ceil(std::log(worst) / fall) : kMostBlocks;
    const double columns =
        static_cast<double>(space_.columns) + needed * static_cast<double>(width_);
    if (++checks_ > 3 && columns > static_cast<double>(limit_)) return 0;
    before_ = worst;
    is_near_ = needed <= 2;
    waited_ =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(needed / 2)), 1, kLongestWait);
    return waited_;
  }

  /// u = Q y. Pairs that the space has no room for are zero.
  void take_vectors() {
    double* vectors = work_.vectors.reserve(as_size(m_ * count_));
    multiply(CblasNoTrans, m_, found_, space_.columns, 1.0, space_.basis.data(), space_.ritz.data(),
             0.0, vectors);
    space_.pairs = found_;
    std::copy_n(work_.values.data(), found_, space_.ritz_values.reserve(as_size(found_)));
    std::fill(vectors + m_ * found_, vectors + m_ * count_, 0.0);
    std::fill(work_.values.data() + found_, work_.values.data() + count_, 0.0);
  }

  void take_residuals() {
    double* residuals = space_.ritz_residuals.reserve(as_size(found_));
    for (std::int64_t i = 0; i < found_; ++i) residuals[i] = width_ > 0 ? residual(i) : 0;
  }

  std::int64_t m_;
  const KrylovAim& aim_;
  std::int64_t count_;
  const ApplyGram& apply_;
  std::int64_t width_, limit_;
  Workspace& work_;
  KrylovSpace& space_;
  std::int64_t found_ = 0, checks_ = 0, waited_;
  double before_, scale_ = 0;
  bool is_near_ = true;  // the block before the next look at the pairs may do
};

}  // namespace

std::int64_t basis_limit(std::int64_t short_side, std::int64_t count) noexcept {
  return std::min({short_side, std::max(short_side / 2, 8 * block_width(short_side, count)),
                   kMostBlocks * block_width(short_side, count)});
}

bool prefers_krylov(std::int64_t short_side, std::int64_t rung) noexcept {
  return rung <= 64 && short_side >= 192 && short_side >= 10 * rung;
}

bool krylov_eigenpairs(std::int64_t short_side, const KrylovAim& aim, const ApplyGram& apply,
                       KrylovSpace& space, Workspace& workspace) {
  return BlockLanczos(short_side, aim, apply, space, workspace).run();
}

}  // namespace koine::lowrank
