#include "lowrank/rounded_gram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "core/rules.hpp"
#include "lowrank/block_products.hpp"
#include "lowrank/certificate.hpp"
#include "lowrank/gram16_kernels.hpp"
#include "lowrank/gram32.hpp"
#include "lowrank/strips.hpp"

namespace koine::lowrank {
namespace {

// Of a row of Q before it is rounded, and of its terms: 46340 and 16383 are not to be passed.
constexpr double kLength = 45000, kLargest = 16383 - 0.5;
constexpr std::int64_t kTerms = 256;            // packed at a time: they stay in the first cache
constexpr std::int64_t kMostTerms = 4'000'000;  // half a unit for each is what rounding may add
constexpr std::int64_t kPanel = 64;             // columns of K
constexpr std::int64_t kChain = 128;            // terms of a product with K; shapes its bits
constexpr double kUnit32 = 0x1p-24;
static_assert(kPanel % kStripRows == 0);

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

/// Rows of a panel of K: whole strips.
std::int64_t rows_of(std::int64_t short_side) {
  return strips_of(short_side) * kStripRows;
}

/// Rows of K, columns [first, first + 64) of them, as far as there are.
Columns<float> panel_of(std::int64_t short_side, std::int64_t first, const Workspace& workspace) {
  return {workspace.coarse.gram.data() + first * rows_of(short_side), short_side,
          std::min(kPanel, short_side - first), kPanel};
}

/// out [8, panel.rows] <- the rows of a panel combined, chains of kChain of them at a time.
void combine(Columns<float> panel, const float* y, float* out) {
  Onto onto = Onto::zero;
  for (std::int64_t left = panel.count; left > 0; left -= kChain) {
    panel.count = std::min(kChain, left);
    fastest_products<float, float>().combine(panel, y, std::exchange(onto, Onto::out), out);
    panel.data += kChain * panel.step;
    y += kChain * kStripe;
  }
}

/// No more eigenvalues of G lie above g than of K above this: Weyl, for singular values of A and A'
/// and then for K's rounding.
double bound_for_k(double g, const Coarse& coarse) {
  if (!(g > coarse.lost * coarse.lost)) return 0;
  const double root = std::sqrt(g) - coarse.lost;
  return root * root - coarse.error;
}

class RoundedGram {
 public:
  RoundedGram(const ShortSideFirst& side, Workspace& workspace)
      : side_(side),
        coarse_(workspace.coarse),
        strips_(strips_of(side.short_side)),
        rows_(rows_of(side.short_side)),
        pairs_((side.long_side + 3) / 4 * 2) {
    strip_ = workspace.single.reserve(as_size(side.long_side * kStripRows));
    rounded_ = reinterpret_cast<TermPair*>(
        workspace.packed.reserve(as_size(pairs_ * rows_) * sizeof(TermPair)));
    units_ = workspace.stripes.reserve(as_size(rows_));
    inner_ = workspace.indices.reserve(as_size(rows_));
    gram_ = coarse_.gram.reserve(as_size((side.short_side + kPanel - 1) / kPanel * kPanel * rows_));
  }

  void run() {
    for (std::int64_t s = 0; s < strips_; ++s) round_strip(s);
    coarse_.lost = std::sqrt(lost_ * (1 + 1e-5)) + kUnit32 * std::sqrt(length_squared_);
    OfStrip<double> squares{};
    double sum = 0;
    for_each_tile(strips_, [&](std::int64_t above, std::int64_t first, std::int64_t end) {
      alignas(64) std::array<float, std::size_t{kStripRows * kGramColumns}> tile;
      multiply(above, first, end, tile.data());
      for (std::int64_t s = first; s < end; ++s)
        put(tile.data() + (s - first) * kStripRows, above, s, squares);
    });
    for (const double chain : squares) sum += chain;
    coarse_.squared = sum;
    // One rounding to float32, two in float64, and what lies below float32's range.
    coarse_.error = kUnit32 * (1 + 1e-7) * std::sqrt(sum) +
                    2 * kHalfOfSmallest * static_cast<double>(side_.short_side);
  }

 private:
  [[nodiscard]] TermPair* strip(std::int64_t index) const {
    return rounded_ + index * pairs_ * kStripRows;
  }

  void round_strip(std::int64_t index) {
    const std::int64_t top = index * kStripRows, n = side_.long_side;
    OfStrip<double> squared{}, lost;
    OfStrip<float> largest{}, scale;
    for (std::int64_t first = 0; first < n; first += kTerms) {
      const std::int64_t terms = std::min(kTerms, n - first);
      float* a = strip_ + first * kStripRows;
      pack_strip(side_, top, first, terms, a);
      fastest().lengths({a, terms, squared.data(), largest.data()});
    }
    for (std::size_t i = 0; i < squared.size(); ++i)
      scale[i] = scale_of(squared[i], largest[i], units_[as_size(top) + i]);
    fastest().round({strip_, scale.data(), n, pairs_, strip(index), lost.data(), inner_ + top});
    for (std::size_t i = 0; i < squared.size(); ++i) {
      const double unit = units_[as_size(top) + i];
      length_squared_ += squared[i];
      lost_ += scale[i] > 0 ? lost[i] * unit * unit : squared[i];
    }
  }

  /// Of a row of this length squared; 0 where float32 has none that large: all of the row is lost.
  static float scale_of(double squared, float largest, double& unit) {
    const double wanted =
        std::min(kLength / std::sqrt(squared), kLargest / static_cast<double>(largest));
    const bool fits_float32 = wanted < static_cast<double>(std::numeric_limits<float>::max());
    const float scale = fits_float32 ? rules::round_f32(wanted) : 0.0F;
    unit = fits_float32 ? 1 / static_cast<double>(scale) : 0;
    return scale;
  }

  /// tile [16, 48] <- rows of strip `above` times those of strips [first, end).
  void multiply(std::int64_t above, std::int64_t first, std::int64_t end, float* tile) const {
    fastest().tile({.left = strip(above),
                    .right = strip(first),
                    .pairs = pairs_,
                    .strips = end - first,
                    .left_inner = inner_ + above * kStripRows,
                    .right_inner = inner_ + first * kStripRows,
                    .left_unit = units_ + above * kStripRows,
                    .right_unit = units_ + first * kStripRows,
                    .out = tile});
  }

  /// Into K, on both sides of the diagonal; the squares of both, in chains.
  void put(const float* tile, std::int64_t above, std::int64_t right, OfStrip<double>& squares) {
    const std::int64_t top = above * kStripRows, left = right * kStripRows;
    const double sides = above == right ? 1 : 2;
    float* out = at(top, left);
    for (std::int64_t i = 0; i < kStripRows; ++i) {
      const float* row = tile + i * kGramColumns;
      std::memcpy(out + i * kPanel, row, kStripRows * sizeof(float));
      for (std::size_t j = 0; j < squares.size(); ++j) {
        const auto x = static_cast<double>(row[j]);
        squares[j] += sides * x * x;
      }
    }
    if (above == right) return;
    turn_square(tile, kGramColumns, at(left, top), kPanel);
  }

  /// Where K has its entry (row, column).
  [[nodiscard]] float* at(std::int64_t row, std::int64_t column) const {
    return gram_ + column / kPanel * kPanel * rows_ + row * kPanel + column % kPanel;
  }

  const ShortSideFirst& side_;
  Coarse& coarse_;
  std::int64_t strips_, rows_, pairs_;
  float *strip_ = nullptr, *gram_ = nullptr;
  TermPair* rounded_ = nullptr;
  double* units_ = nullptr;
  std::int32_t* inner_ = nullptr;
  double length_squared_ = 0, lost_ = 0;
};

}  // namespace

void rounded_gram(const ShortSideFirst& side, Workspace& workspace) {
  RoundedGram(side, workspace).run();
}

bool fits_rounding(const ShortSideFirst& side) noexcept {
  return side.long_side <= kMostTerms;
}

void rounded_times_block(std::int64_t short_side, std::int64_t width, const double* block,
                         double* image, Workspace& workspace) {
  float* y = workspace.single.reserve(as_size(short_side * kStripe));
  alignas(64) std::array<float, std::size_t{kPanel * kStripe}> out;
  for (std::int64_t first = 0; first < width; first += kStripe) {
    const std::int64_t count = std::min(kStripe, width - first);
    std::fill_n(y, short_side * kStripe, 0.0F);
    rows_of_block(block + first * short_side, short_side, count, y);
    for (std::int64_t at = 0; at < short_side; at += kPanel) {
      const Columns<float> panel = panel_of(short_side, at, workspace);
      combine(panel, y, out.data());
      for (std::int64_t j = 0; j < count; ++j)
        std::copy_n(out.data() + j * panel.rows, panel.rows, image + (first + j) * short_side + at);
    }
  }
}

// The vector rounded, a chain, and as many additions as there are chains.
double rounded_times_error(std::int64_t short_side, const Workspace& workspace) noexcept {
  const std::int64_t chains = (short_side + kChain - 1) / kChain;
  const auto roundings = static_cast<double>(1 + kChain + chains);
  const double gamma = roundings * kUnit32 / (1 - roundings * kUnit32);
  const auto order = static_cast<double>(short_side);
  return gamma * std::sqrt(workspace.coarse.squared) + 2 * kHalfOfSmallest * order * order;
}

// P U = 0, so P K P = P (K - sum theta u u^T) P, which is no larger than what stands between. Of
// that an entry has one operation for each pair, and U and theta U are rounded.
double rounded_norm_without(std::int64_t short_side, std::int64_t count, Workspace& workspace) {
  const double* vectors = workspace.vectors.data();
  const double* values = workspace.values.data();
  const std::int64_t rows = rows_of(short_side);
  float* by_row = workspace.single.reserve(as_size(2 * rows * count));
  float* by_strip = by_row + rows * count;  // theta u, [strips, count, 16]
  std::fill_n(by_row, 2 * rows * count, 0.0F);
  double theta_sum = 0;
  for (std::int64_t p = 0; p < count; ++p) {
    theta_sum += std::fabs(values[p]);
    for (std::int64_t i = 0; i < short_side; ++i) {
      const double x = vectors[p * short_side + i];
      by_row[i * count + p] = rules::round_f32(x);
      by_strip[(i / kStripRows * count + p) * kStripRows + i % kStripRows] =
          rules::round_f32(values[p] * x);
    }
  }
  double sum = 0;
  for (std::int64_t left = 0; left < short_side; left += kStripRows) {
    OfStrip<double> beside{}, below{};
    const std::int64_t end = left + kStripRows;
    const float* column =
        workspace.coarse.gram.data() + left / kPanel * kPanel * rows + left % kPanel;
    const float* u = by_strip + left * count;
    fastest().without({column + left * kPanel, kPanel, kStripRows, count, u, by_row + left * count,
                       beside.data()});
    if (end < rows) {
      fastest().without({column + end * kPanel, kPanel, rows - end, count, u, by_row + end * count,
                         below.data()});
    }
    for (std::size_t j = 0; j < beside.size(); ++j) sum += beside[j] + 2 * below[j];
  }
  const double roundings = static_cast<double>(count + 3) * kUnit32;
  const double underflow = 2 * kHalfOfSmallest * static_cast<double>(count * short_side);
  return std::sqrt(sum) * (1 + 1e-6) +
         roundings * (std::sqrt(workspace.coarse.squared) + theta_sum) + underflow;
}

float rounded_entry(std::int64_t short_side, std::int64_t row, std::int64_t column,
                    const Workspace& workspace) {
  const std::int64_t first = column / kPanel * kPanel;
  return panel_of(short_side, first, workspace).data[row * kPanel + column - first];
}

bool no_more_above(double g, std::int64_t short_side, std::int64_t kept, std::int64_t rung,
                   Workspace& workspace) {
  const Coarse& coarse = workspace.coarse;
  const FromProducts known{coarse.without, rung, rounded_times_error(short_side, workspace)};
  return nothing_missed_by_products(bound_for_k(g, coarse), short_side, kept, known, coarse.space,
                                    workspace);
}

bool no_more_above_by_cholesky(double g, std::int64_t short_side, std::int64_t kept,
                               Workspace& workspace) {
  const double floor = rounding_floor(short_side, workspace.values.data()[0]);
  const double c = bound_for_k(g, workspace.coarse) - floor;
  if (!(c > 0)) return false;
  double* gram = workspace.gram.reserve(as_size(short_side * short_side));
  for (std::int64_t first = 0; first < short_side; first += kPanel) {
    const Columns<float> panel = panel_of(short_side, first, workspace);
    for (std::int64_t i = 0; i < short_side; ++i)
      std::copy_n(panel.data + i * kPanel, panel.rows, gram + i * short_side + first);
  }
  return nothing_missed_above(c, short_side, kept, workspace);
}

}  // namespace koine::lowrank
