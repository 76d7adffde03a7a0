#include "lowrank/residual_gram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/rules.hpp"
#include "lowrank/gram16_kernels.hpp"
#include "lowrank/skinny_kernels.hpp"
#include "lowrank/strips.hpp"

namespace koine::lowrank {
namespace {

// Of a row of Q before it is rounded, and of its terms: 46340 and 16383 are not to be passed.
constexpr double kLength = 45000, kLargest = 16383 - 0.5;
constexpr std::int64_t kTerms = 256;            // packed at a time: they stay in the first cache
constexpr std::int64_t kMostTerms = 4'000'000;  // half a unit for each is what rounding may add
constexpr double kUnit32 = 0x1p-24;
constexpr double kSumming = 1 + 1e-6;  // more than float64 loses of short^2 positive terms

template <typename T>
using OfStrip = std::array<T, static_cast<std::size_t>(kStripRows)>;

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

const Gram16Variant& fastest() {
  static const Gram16Variant kChosen = [] {
    for (const Gram16Variant& variant : gram16_variants().all) {
      if (variant.tile != nullptr) return variant;
    }
    return gram16_portable();
  }();
  return kChosen;
}

class ResidualGram {
 public:
  ResidualGram(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace)
      : side_(side),
        rung_(rung),
        work_(workspace),
        strips_(strips_of(side.short_side)),
        pairs_((side.long_side + 3) / 4 * 2) {
    strip_ = work_.single.reserve(as_size((side.long_side + rung) * kStripRows) +
                                  as_size(side.long_side * rung));
    u_ = strip_ + side.long_side * kStripRows;
    b_ = u_ + rung * kStripRows;
    rounded_ = reinterpret_cast<TermPair*>(
        work_.packed.reserve(as_size(strips_ * pairs_ * kStripRows) * sizeof(TermPair)));
    weights_ = work_.stripes.reserve(as_size(strips_ * kStripRows));
    inner_ = work_.indices.reserve(as_size(strips_ * kStripRows));
  }

  /// Q and the weights that turn its lengths back.
  void round_all() {
    take_b();
    for (std::int64_t s = 0; s < strips_; ++s) round_strip(s);
  }

  /// |R - Q / scale|_F, R as float32 has it.
  [[nodiscard]] double lost() const {
    return std::sqrt(lost_ * (1 + 1e-5)) + kUnit32 * std::sqrt(squared_);
  }

  /// The sum of squares of Q Q^T with its lengths turned back.
  [[nodiscard]] double sum_of_squares() const {
    double sum = 0;
    for_each_tile(strips_, [&](std::int64_t above, std::int64_t first, std::int64_t end) {
      std::array<double, static_cast<std::size_t>(kGramColumns)> squares;
      fastest().tile({.left = strip(above),
                      .right = strip(first),
                      .pairs = pairs_,
                      .strips = end - first,
                      .left_inner = inner_ + above * kStripRows,
                      .right_inner = inner_ + first * kStripRows,
                      .weights = weights_ + above * kStripRows,
                      .squares = squares.data()});
      const double* weights = weights_ + first * kStripRows;
      for (std::int64_t j = 0; j < (end - first) * kStripRows; ++j) {
        const double both = first + j / kStripRows == above ? 1 : 2;  // sides of the diagonal
        sum += both * weights[j] * squares[as_size(j)];
      }
    });
    return sum;
  }

 private:
  [[nodiscard]] TermPair* strip(std::int64_t index) const {
    return rounded_ + index * pairs_ * kStripRows;
  }

  /// b [long, rung] <- U^T A from its stripes.
  void take_b() {
    const std::int64_t n = side_.long_side;
    for (std::int64_t p = 0; p < rung_; ++p) {
      const double* from = work_.right.data() + p / kStripe * n * kStripe + p % kStripe;
      for (std::int64_t j = 0; j < n; ++j) b_[j * rung_ + p] = rules::round_f32(from[j * kStripe]);
    }
  }

  /// u [rung, 16] <- rows [top, top + 16) of U.
  void take_u(std::int64_t top) {
    const std::int64_t m = side_.short_side, rows = std::min(kStripRows, m - top);
    std::fill_n(u_, rung_ * kStripRows, 0.0F);
    for (std::int64_t p = 0; p < rung_; ++p) {
      const double* from = work_.vectors.data() + p * m + top;
      for (std::int64_t i = 0; i < rows; ++i) u_[p * kStripRows + i] = rules::round_f32(from[i]);
    }
  }

  void round_strip(std::int64_t index) {
    const std::int64_t top = index * kStripRows, n = side_.long_side;
    take_u(top);
    OfStrip<double> squared{}, lost;
    OfStrip<float> largest{}, scale;
    for (std::int64_t first = 0; first < n; first += kTerms) {
      const std::int64_t terms = std::min(kTerms, n - first);
      float* r = strip_ + first * kStripRows;
      pack_strip(side_, top, first, terms, r);
      fastest().residual({r, u_, b_ + first * rung_, terms, rung_, squared.data(), largest.data()});
    }
    for (std::size_t i = 0; i < squared.size(); ++i)
      scale[i] = scale_of(squared[i], largest[i], weights_[as_size(top) + i]);
    fastest().round({strip_, scale.data(), n, pairs_, strip(index), lost.data(), inner_ + top});
    for (std::size_t i = 0; i < squared.size(); ++i) {
      squared_ += squared[i];
      lost_ += scale[i] > 0 ? lost[i] * weights_[as_size(top) + i] : squared[i];
    }
  }

  /// Of a row of this length squared; 0 where float32 has none that large: all of the row is lost.
  static float scale_of(double squared, float largest, double& weight) {
    const double wanted =
        std::min(kLength / std::sqrt(squared), kLargest / static_cast<double>(largest));
    const bool fits_float32 = wanted < static_cast<double>(std::numeric_limits<float>::max());
    const float scale = fits_float32 ? rules::round_f32(wanted) : 0.0F;
    weight = fits_float32 ? 1 / (static_cast<double>(scale) * static_cast<double>(scale)) : 0;
    return scale;
  }

  const ShortSideFirst& side_;
  std::int64_t rung_;
  Workspace& work_;
  std::int64_t strips_, pairs_;
  float *strip_ = nullptr, *u_ = nullptr, *b_ = nullptr;
  TermPair* rounded_ = nullptr;
  double* weights_ = nullptr;
  std::int32_t* inner_ = nullptr;
  double squared_ = 0, lost_ = 0;
};

}  // namespace

// With R = Q' + E, Q' what Q stands for: |R R^T|_F <= |Q' Q'^T|_F + 2 |Q'|_2 |E|_F + |E|_F^2, and
// |Q'|_2^2 <= |Q' Q'^T|_F. E has the rounding to integers, and that of A - U B in float32: rung + 1
// operations an entry, U and B rounded once, and one more for what lies below float32's range.
double residual_gram_norm(const ShortSideFirst& side, std::int64_t rung, double tau_squared,
                          Workspace& workspace) {
  if (side.long_side > kMostTerms) return std::numeric_limits<double>::infinity();
  ResidualGram gram(side, rung, workspace);
  gram.round_all();
  const double subtracting = static_cast<double>(rung + 5) * kUnit32 *
                             (1 + std::sqrt(static_cast<double>(rung))) * std::sqrt(tau_squared);
  const double lost = gram.lost() + subtracting;
  const double norm = std::sqrt(gram.sum_of_squares()) * kSumming;
  return norm + (2 * std::sqrt(norm) + lost) * lost;
}

}  // namespace koine::lowrank
