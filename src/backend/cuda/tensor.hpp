#pragma once

#include <cstdint>

#include "backend/cuda/lane.hpp"
#include "backend/cuda_table.hpp"

/// A tensor's way through a lane; each as the function of that name in backend/cuda_table.hpp. All
/// wait for their results. @throws DeviceError
namespace koine::cuda {

[[nodiscard]] bool start(Lane& lane, const backend::cuda::TensorStart& tensor);
[[nodiscard]] backend::cuda::TaskVectorFacts put(Lane& lane, std::int64_t slot,
                                                 const backend::cuda::Stored* expert);
void fetch_task_vector(Lane& lane, std::int64_t slot, float* tau);
[[nodiscard]] double low_part(Lane& lane, std::int64_t slot, backend::cuda::LowPart kind,
                              const backend::cuda::FactorArrays* factors);
[[nodiscard]] backend::cuda::Threshold kth_largest(Lane& lane, std::int64_t slot, std::int64_t k);
[[nodiscard]] std::int64_t take_kept(Lane& lane, std::int64_t slot,
                                     const backend::cuda::Threshold& threshold);
[[nodiscard]] double add(Lane& lane, double weight);
[[nodiscard]] backend::cuda::FinishFacts finish(Lane& lane, const backend::cuda::FinishAsk& ask,
                                                void* out);

}  // namespace koine::cuda
