#pragma once

#include <optional>

#include "lowrank/rung.hpp"
#include "methods/method.hpp"
#include "pipeline/merge_tensor.hpp"

namespace koine::pipeline {

/// Whether the GPU may do it: there is one, and it takes this treatment and these types.
[[nodiscard]] bool is_for_device(const PlannedTensor& planned, const MergeContext& context);

/// As merge_tensor, of selected matrices of one shape on the GPU, some task vectors of some of them
/// at a time: the stored bytes of each base and expert go there once, the rounded results come
/// back; one thread reads ahead, another writes behind. The bits of one matrix do not depend on the
/// others. Nothing where the CPU must do it: where a value is not finite or overflows, which is the
/// CPU's to tell (it reads the tensor anew).
/// @pre is_for_device, each of the same shape
/// @throws DeviceError, InputError, StorageError
[[nodiscard]] std::vector<std::optional<TensorOutcome>> merge_on_device(
    std::span<const ToMerge> group, const MergeContext& context, Scratch& scratch);

/// As lowrank::truncated_svd, by the same solvers as merge_on_device: the same bits.
/// @throws DeviceError
[[nodiscard]] lowrank::Factors factorise_on_device(backend::LanePool& lanes, MatrixView tau,
                                                   const methods::PruneParameters& parameters,
                                                   lowrank::Workspace& workspace,
                                                   const lowrank::RungStore* store);

/// Whether factors were made or found for this row.
[[nodiscard]] bool is_factorised(const stats::ExpertRow& row) noexcept;

}  // namespace koine::pipeline
