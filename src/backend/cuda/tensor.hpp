#pragma once

#include <cstdint>

#include "backend/cuda/lane.hpp"
#include "backend/cuda_table.hpp"

/// Matrices' way through a lane; each as the function of that name in backend/cuda_table.hpp. All
/// but begin, start and put wait for their results. @throws DeviceError
namespace koine::cuda {

void begin(Lane& lane, const backend::cuda::Shape& shape);
void start(Lane& lane, std::int64_t place, const backend::cuda::Stored* base);
void put(Lane& lane, std::int64_t slot, std::int64_t place, const backend::cuda::Stored* expert);
/// of_slots: one per slot; is_finite: one per place.
void facts(Lane& lane, backend::cuda::TaskVectorFacts* of_slots, std::int32_t* is_finite);
void fetch_task_vector(Lane& lane, std::int64_t slot, float* tau);
[[nodiscard]] double low_part(Lane& lane, std::int64_t slot, backend::cuda::LowPart kind,
                              const backend::cuda::FactorArrays* factors);
[[nodiscard]] backend::cuda::Threshold kth_largest(Lane& lane, std::int64_t slot, std::int64_t k);
[[nodiscard]] std::int64_t take_kept(Lane& lane, std::int64_t slot,
                                     const backend::cuda::Threshold& threshold);
[[nodiscard]] double add(Lane& lane, std::int64_t place, double weight);
[[nodiscard]] backend::cuda::FinishFacts finish(Lane& lane, std::int64_t place,
                                                const backend::cuda::FinishAsk& ask);

}  // namespace koine::cuda
