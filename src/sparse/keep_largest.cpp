#include "sparse/keep_largest.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include "core/rules.hpp"
#include "sparse/kth_largest.hpp"

namespace koine::sparse {
namespace {

const SelectKernels& kernels() {
  static const SelectKernels& fastest = *select_variants()[0];
  return fastest;
}

std::int64_t length(std::span<const float> x) {
  return static_cast<std::int64_t>(x.size());
}

}  // namespace

float Threshold::magnitude() const noexcept {
  return kept == 0 ? std::numeric_limits<float>::infinity() : rules::bits_as<float>(key);
}

std::int64_t keep_count(std::int64_t numel, double density) noexcept {
  return static_cast<std::int64_t>(static_cast<double>(numel) * density);
}

Threshold kth_largest(std::span<const float> tau, std::span<const float> low, std::int64_t k) {
  return kth_by_bracket(kernels(), tau, low, k);
}

Threshold kth_largest(ResidualPieces& residual, std::int64_t k) {
  return kth_by_bracket(kernels(), residual, k);
}

std::vector<Threshold> share_out(const Search& found, std::span<const Standing> standings) {
  assert(found.digit == kDigitCount);
  std::vector<Threshold> shares;
  std::int64_t left = found.left;
  for (const Standing& standing : standings) {
    const std::int64_t ties = std::min(left, standing.equal);
    shares.push_back({.key = found.key, .ties = ties, .kept = standing.above + ties});
    left -= ties;
  }
  assert(left == 0);
  return shares;
}

std::int64_t take_kept(std::span<const float> tau, std::span<float> low,
                       const Threshold& threshold) {
  assert(low.size() == tau.size());
  if (threshold.kept == 0) return 0;
  std::int64_t ties = threshold.ties;
  return kernels().take({tau.data(), low.data(), length(tau)}, low.data(), threshold.key, ties);
}

std::int64_t take_kept(const Stretch& stretch, std::span<float> m, std::uint32_t key,
                       std::int64_t& ties) {
  assert(m.size() == stretch.tau.size() && m.size() == stretch.low.size());
  return kernels().take({stretch.tau.data(), stretch.low.data(), length(stretch.tau)}, m.data(),
                        key, ties);
}

}  // namespace koine::sparse
