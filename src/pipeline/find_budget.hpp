#pragma once

#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "pipeline/kept_factors.hpp"
#include "pipeline/merge_tensor.hpp"
#include "pipeline/model_budget.hpp"

namespace koine::pipeline {

struct FoundBudget {
  ModelBudget budget;
  std::string text;  ///< budget_text of it
};

/// density_over: model: finds every expert's threshold over all selected matrices. Each process
/// goes four times over the matrices of its shards: it counts three digits of |tau - L|, which are
/// added over the processes, and then what stands at the threshold. Equal entries are kept in the
/// canonical order of the tensors, then by flat index. Integers only, so the result is the same for
/// any number of processes and threads; every process has it.
/// Collective. Memory: scratch_bytes of `threads` matrices and 16 KiB per expert.
/// Cost: one factorisation, four reads and four products per matrix and expert.
/// @pre plan.densities holds one per expert
/// @throws InputError for a value that is not finite (unless allow_nonfinite), or an input that
/// changes meanwhile
[[nodiscard]] FoundBudget find_budget(const Plan& plan, const MergeContext& context,
                                      const Identity& identity, int threads,
                                      comm::Communicator& processes);

struct BudgetOptions {
  const Identity& identity;
  const RunFolder& run;
  int threads = 1;
};

/// What a run with density_over: model keeps beside its context.
struct RunBudget {
  std::optional<ModelBudget> budget;

  /// Takes the budget from .koine/thresholds.json, or finds it and keeps it there, and points
  /// `context` to this. Does nothing where the density goes over matrices. Collective; the same on
  /// every process.  @pre else context.factors: factors are used five times
  void settle(const Plan& plan, const BudgetOptions& options, MergeContext& context,
              comm::Communicator& processes);
};

}  // namespace koine::pipeline
