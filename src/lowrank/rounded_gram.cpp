#include "lowrank/rounded_gram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/rules.hpp"
#include "lowrank/gram16_kernels.hpp"
#include "lowrank/gram32.hpp"
#include "lowrank/rounded_panels.hpp"
#include "lowrank/strips.hpp"

namespace koine::lowrank {
namespace {

// Of a row of Q before it is rounded, and of its terms: 46340 and 16383 are not to be passed.
constexpr double kLength = 45000, kLargest = 16383 - 0.5;
constexpr std::int64_t kTerms = 256;            // packed at a time: they stay in the first cache
constexpr std::int64_t kMostTerms = 4'000'000;  // half a unit for each is what rounding may add

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

class RoundedGram {
 public:
  RoundedGram(const ShortSideFirst& side, Workspace& workspace)
      : side_(side),
        coarse_(workspace.coarse),
        strips_(strips_of(side.short_side)),
        rows_(rows_of_panel(side.short_side)),
        pairs_((side.long_side + 3) / 4 * 2) {
    strip_ = workspace.single.reserve(as_size(side.long_side * kStripRows));
    rounded_ = reinterpret_cast<TermPair*>(
        workspace.packed.reserve(as_size(pairs_ * rows_) * sizeof(TermPair)));
    units_ = workspace.stripes.reserve(as_size(rows_));
    inner_ = workspace.indices.reserve(as_size(rows_));
    gram_ = coarse_.gram.reserve(as_size((side.short_side + kColumnsOfPanel - 1) / kColumnsOfPanel *
                                         kColumnsOfPanel * rows_));
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
      fastest_gram16().lengths({a, terms, squared.data(), largest.data()});
    }
    for (std::size_t i = 0; i < squared.size(); ++i)
      scale[i] = scale_of(squared[i], largest[i], units_[as_size(top) + i]);
    fastest_gram16().round(
        {strip_, scale.data(), n, pairs_, strip(index), lost.data(), inner_ + top});
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
    fastest_gram16().tile({.left = strip(above),
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
      std::memcpy(out + i * kColumnsOfPanel, row, kStripRows * sizeof(float));
      for (std::size_t j = 0; j < squares.size(); ++j) {
        const auto x = static_cast<double>(row[j]);
        squares[j] += sides * x * x;
      }
    }
    if (above == right) return;
    turn_square(tile, kGramColumns, at(left, top), kColumnsOfPanel);
  }

  /// Where K has its entry (row, column).
  [[nodiscard]] float* at(std::int64_t row, std::int64_t column) const {
    return gram_ + place_in_panels(side_.short_side, row, column);
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

}  // namespace koine::lowrank
