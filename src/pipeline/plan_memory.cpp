#include <algorithm>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "pipeline/merge_tensor.hpp"
#include "pipeline/plan.hpp"

namespace koine::pipeline {

std::int64_t Plan::memory(const Inputs& inputs, int threads) const {
  // MPI, BLAS, HDF5 and our own code, resident: 22 to 25 MiB measured on merges of tiny and base,
  // and a little more, so that a merge stays below the figure.
  constexpr std::int64_t kProgram = std::int64_t{28} << 20;
  constexpr std::int64_t kPerTensor = 1000;  // a header entry and its plan
  constexpr std::int64_t kPerPart = 100;     // an expert's place of it, and its figures
  std::vector<std::int64_t> scratch;
  scratch.reserve(tensors.size());
  for (const PlannedTensor& tensor : tensors) scratch.push_back(scratch_bytes(tensor, inputs));
  std::sort(scratch.rbegin(), scratch.rend());
  const auto count = static_cast<std::int64_t>(tensors.size());
  const auto experts = static_cast<std::int64_t>(inputs.experts.size());
  std::int64_t total = kProgram + count * (kPerTensor + kPerPart * experts);
  constexpr std::int64_t kHistogram = 16384, kPerShare = 160;  // a threshold and a fingerprint
  if (!densities.empty()) total += experts * kHistogram + kPerShare * matrices;
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
