#include <algorithm>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "pipeline/merge_tensor.hpp"
#include "pipeline/plan.hpp"

namespace koine::pipeline {

std::int64_t Plan::memory(const Inputs& inputs, int threads) const {
  // MPI, BLAS, HDF5 and our own code, resident: measured on merges of tiny, base and large-v3.
  constexpr std::int64_t kProgram = std::int64_t{36} << 20;
  constexpr std::int64_t kPerTensor = 1500;  // a header entry, its plan and its figures
  std::vector<std::int64_t> scratch;
  for (const PlannedTensor& tensor : tensors) scratch.push_back(scratch_bytes(tensor, inputs));
  std::sort(scratch.rbegin(), scratch.rend());
  std::int64_t total = kProgram + kPerTensor * static_cast<std::int64_t>(
                                                   tensors.size() * (inputs.experts.size() + 1));
  constexpr std::int64_t kHistogram = 16384, kPerShare = 160;  // a threshold and a fingerprint
  if (!densities.empty())
    total += static_cast<std::int64_t>(inputs.experts.size()) * kHistogram + kPerShare * matrices;
  for (std::size_t i = 0; i < scratch.size() && static_cast<int>(i) < threads; ++i)
    total += scratch[i];
  return total;
}

int threads_within(const Plan& plan, const Inputs& inputs, int wanted, std::int64_t limit) {
  if (limit == 0) return wanted;
  for (int threads = wanted; threads >= 1; --threads) {
    if (plan.memory(inputs, threads) <= limit) return threads;
  }
  throw InputError(fmt::format(
      "--memory {}: this merge needs at least {} per process (its largest tensor, one thread)",
      human_bytes(limit), human_bytes(plan.memory(inputs, 1))));
}

}  // namespace koine::pipeline
