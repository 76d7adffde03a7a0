#include "bench/matrices.hpp"

#include "backend/elementwise.hpp"
#include "core/thread_pool.hpp"
#include "pipeline/synth_numbers.hpp"

namespace koine::bench {

Matrices make_matrices(const Shape& shape, int threads) {
  constexpr const char* kName = "decoder.blocks.0.mlp.0.weight";
  const auto count = static_cast<std::size_t>(numel(shape));
  const auto slots = static_cast<std::size_t>(threads);
  Matrices made{shape, std::vector<float>(count), std::vector<std::vector<float>>(slots),
                std::vector<std::vector<float>>(slots)};
  pipeline::SynthTensor(0, kName, shape, 0).fill(0, made.base);
  parallel_for(threads, threads, [&](std::int64_t index, int) {
    const auto slot = static_cast<std::size_t>(index);
    std::vector<float>& expert = made.experts[slot];
    std::vector<float>& tau = made.taus[slot];
    expert.resize(count);
    tau.resize(count);
    pipeline::SynthTensor(0, kName, shape, static_cast<std::uint64_t>(index) + 1).fill(0, expert);
    backend::task_vector({DType::f32, std::as_bytes(std::span(expert))}, made.base, tau);
  });
  return made;
}

}  // namespace koine::bench
