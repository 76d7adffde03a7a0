#pragma once

#include <optional>

#include "lowrank/rung.hpp"
#include "methods/method.hpp"
#include "pipeline/merge_tensor.hpp"

namespace koine::pipeline {

/// As merge_tensor, of a selected matrix on the GPU: the stored bytes of the base and of each
/// expert go there once, the rounded result comes back. Nothing where the CPU must do it: without a
/// GPU, for other treatments and types, and where a value is not finite or overflows, which is the
/// CPU's to tell (it reads the tensor anew).  @throws DeviceError, InputError
[[nodiscard]] std::optional<TensorOutcome> merge_on_device(const PlannedTensor& planned,
                                                           const MergeContext& context,
                                                           Scratch& scratch, const Sink& sink);

/// As lowrank::truncated_svd, by the same solvers as merge_on_device: the same bits.
/// @throws DeviceError
[[nodiscard]] lowrank::Factors factorise_on_device(backend::LanePool& lanes, MatrixView tau,
                                                   const methods::PruneParameters& parameters,
                                                   lowrank::Workspace& workspace,
                                                   const lowrank::RungStore* store);

/// Whether factors were made or found for this row.
[[nodiscard]] bool is_factorised(const stats::ExpertRow& row) noexcept;

}  // namespace koine::pipeline
