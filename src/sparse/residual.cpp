#include "sparse/residual.hpp"

#include <cassert>
#include <cmath>

namespace koine::sparse {

StoredResidual::StoredResidual(std::span<const float> tau, std::span<const float> low)
    : all_{tau.data(), low.empty() ? nullptr : low.data(), static_cast<std::int64_t>(tau.size())} {
  assert(low.empty() || low.size() == tau.size());
}

std::vector<float> StoredResidual::sample() {
  const std::int64_t step = all_.count < (1 << 20) ? 61 : 127;  // prime: every column is met
  std::vector<float> sample;
  sample.reserve(static_cast<std::size_t>(all_.count / step + 1));
  for (std::int64_t i = step / 2; i < all_.count; i += step)
    sample.push_back(std::fabs(all_.low == nullptr ? all_.tau[i] : all_.tau[i] - all_.low[i]));
  return sample;
}

}  // namespace koine::sparse
