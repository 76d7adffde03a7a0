#include "pipeline/synth_numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace koine::pipeline {
namespace {

constexpr float kSpread = 0.05F;  // of the base's weights
constexpr double kDelta = 1e-3;   // rms of an expert's delta
constexpr std::int64_t kRank = 32;
constexpr std::uint64_t kSparseOf65536 = 1311;  // 2 %
constexpr std::int64_t kTile = 256;
constexpr std::size_t kStrip = 32;

/// The finaliser of SplitMix64.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x ^= x >> 30U;
  x *= 0xBF58476D1CE4E5B9ULL;
  x ^= x >> 27U;
  x *= 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

constexpr std::uint64_t draw(std::uint64_t key, std::int64_t counter) noexcept {
  return mix(key + static_cast<std::uint64_t>(counter) * 0x9E3779B97F4A7C15ULL);
}

/// Sum of four 16-bit uniforms, centred and scaled to variance 1 (each has variance 65536^2 / 12).
inline float normal(std::uint64_t bits) noexcept {
  constexpr std::uint64_t kEven = 0x0000FFFF0000FFFFULL;
  constexpr float kUnit = 2.6429110e-5F;  // sqrt(3) / 65536
  const std::uint64_t pairs = (bits & kEven) + ((bits >> 16U) & kEven);
  const auto sum = static_cast<std::int32_t>((pairs & 0xFFFFFFFFU) + (pairs >> 32U));
  return static_cast<float>(sum - 131070) * kUnit;
}

std::uint64_t key_of(std::uint64_t seed, const std::string& name, std::uint64_t expert,
                     std::uint64_t stream) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix(mix(mix(seed + 0x9E3779B97F4A7C15ULL) ^ hash) + (expert << 8U) + stream);
}

/// exp(x) for x <= 0 by its Taylor series at x / 1024, squared ten times.
double small_exp(double x) {
  const double y = x / 1024;
  double term = 1, sum = 1;
  for (int k = 1; k <= 12; ++k) {
    term *= y / k;
    sum += term;
  }
  for (int i = 0; i < 10; ++i) sum *= sum;
  return sum;
}

/// Sine and cosine of x >= 0: the rest of x modulo pi / 2, then Taylor.
std::pair<double, double> sine_cosine(double x) {
  constexpr double kHigh = 1.57079632673412561417e+00,
                   kLow = 6.07710050650619224932e-11;  // pi / 2, 33 bits and the rest
  const auto quarter = static_cast<std::int64_t>(std::floor(x * 0.63661977236758134308 + 0.5));
  const double r = (x - static_cast<double>(quarter) * kHigh) - static_cast<double>(quarter) * kLow;
  double term = 1, sine = 0, cosine = 0;
  for (int k = 0; k < 18; ++k) {
    (k % 2 == 0 ? cosine : sine) += k % 4 < 2 ? term : -term;
    term *= r / (k + 1);
  }
  switch (quarter % 4) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

bool is_norm_weight(const std::string& name) {
  return name.ends_with("_ln.weight") || name.ends_with("ln_post.weight") ||
         name.ends_with(".ln.weight");
}

}  // namespace

SynthTensor::SynthTensor(std::uint64_t seed, const std::string& canonical, const Shape& shape,
                         std::uint64_t expert)
    : base_key_(key_of(seed, canonical, 0, 0)),
      delta_key_(key_of(seed, canonical, expert, 1)),
      left_key_(key_of(seed, canonical, expert, 2)),
      expert_(expert),
      is_sinusoidal_(canonical == "encoder.positional_embedding") {
  rows_ = shape.size() > 1 ? shape.front() : 1;
  cols_ = rows_ > 0 ? numel(shape) / rows_ : 0;
  mean_ = is_norm_weight(canonical) ? 1.0F : 0.0F;
  noise_ = static_cast<float>(shape.size() > 1 ? 0.15 * kDelta : kDelta);
  if (expert == 0 || shape.size() < 2 || is_sinusoidal_) return;
  rank_ = std::max<std::int64_t>(1, std::min({kRank, rows_ / 2, cols_ / 2}));
  double squares = 0;
  for (std::int64_t j = 1; j <= rank_; ++j) squares += 1.0 / static_cast<double>(j * j);
  const double first = kDelta / std::sqrt(squares);
  for (std::int64_t j = 1; j <= rank_; ++j)
    sigma_.push_back(static_cast<float>(first / static_cast<double>(j)));
  right_.resize(static_cast<std::size_t>(rank_ * cols_));
  const std::uint64_t right_key = key_of(seed, canonical, expert, 3);
  for (std::size_t i = 0; i < right_.size(); ++i)
    right_[i] = normal(draw(right_key, static_cast<std::int64_t>(i)));
}

void SynthTensor::fill(std::int64_t first, std::span<float> out) const {
  if (is_sinusoidal_) return fill_sinusoids(first, out);
  fill_base(first, out);
  if (expert_ == 0) return;
  std::array<float, kTile> delta{};
  for (std::size_t done = 0; done < out.size();) {
    // A tile never crosses the end of a row.
    const std::int64_t at = first + static_cast<std::int64_t>(done);
    const std::int64_t left =
        std::min(cols_ - at % cols_, static_cast<std::int64_t>(out.size() - done));
    const std::span<float> tile(delta.data(), static_cast<std::size_t>(std::min(left, kTile)));
    if (rank_ > 0)
      fill_lowrank(at, tile);
    else
      std::fill(tile.begin(), tile.end(), 0.0F);
    add_noise(at, tile);
    for (std::size_t i = 0; i < tile.size(); ++i) out[done + i] += tile[i];
    done += tile.size();
  }
}

void SynthTensor::fill_base(std::int64_t first, std::span<float> out) const {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = mean_ + kSpread * normal(draw(base_key_, first + static_cast<std::int64_t>(i)));
  }
}

/// Row t: sin(t * s_i), then cos(t * s_i), s_i = 10000^(-i / (half - 1)).
void SynthTensor::fill_sinusoids(std::int64_t first, std::span<float> out) const {
  constexpr double kLogTimescale = 9.2103403719761836;  // log(10000)
  const std::int64_t half = cols_ / 2;
  const double step = half > 1 ? kLogTimescale / static_cast<double>(half - 1) : 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t at = first + static_cast<std::int64_t>(i);
    const std::int64_t row = at / cols_, column = at % cols_;
    const double speed = small_exp(-step * static_cast<double>(column % half));
    const auto [sine, cosine] = sine_cosine(static_cast<double>(row) * speed);
    out[i] = static_cast<float>(column < half ? sine : cosine);
  }
}

void SynthTensor::fill_lowrank(std::int64_t first, std::span<float> delta) const {
  const std::int64_t row = first / cols_, column = first % cols_;
  std::array<float, kRank> left{};
  for (std::int64_t k = 0; k < rank_; ++k) {
    left[static_cast<std::size_t>(k)] =
        sigma_[static_cast<std::size_t>(k)] * normal(draw(left_key_, row * rank_ + k));
  }
  const float* right = right_.data() + column;
  std::size_t done = 0;
  for (; done + kStrip <= delta.size(); done += kStrip) {
    std::array<float, kStrip> sum{};  // stays in registers
    for (std::int64_t k = 0; k < rank_; ++k) {
      const float* b = right + k * cols_ + done;
      const float u = left[static_cast<std::size_t>(k)];
      for (std::size_t j = 0; j < kStrip; ++j) sum[j] += u * b[j];
    }
    std::copy(sum.begin(), sum.end(), delta.begin() + static_cast<std::ptrdiff_t>(done));
  }
  for (; done < delta.size(); ++done) {
    float sum = 0;
    for (std::int64_t k = 0; k < rank_; ++k)
      sum += left[static_cast<std::size_t>(k)] * right[k * cols_ + static_cast<std::int64_t>(done)];
    delta[done] = sum;
  }
}

void SynthTensor::add_noise(std::int64_t first, std::span<float> delta) const {
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const std::uint64_t bits = draw(delta_key_, first + static_cast<std::int64_t>(i));
    delta[i] += noise_ * normal(bits);
    const bool is_large = rank_ > 0 && ((bits * 0xD1342543DE82EF95ULL) >> 48U) < kSparseOf65536;
    if (is_large) delta[i] += static_cast<float>(3 * kDelta) * normal(mix(bits));
  }
}

}  // namespace koine::pipeline
