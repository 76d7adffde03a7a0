#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/shape.hpp"
#include "lowrank/truncated_svd.hpp"
#include "methods/low_part.hpp"
#include "sparse/keep_largest.hpp"
#include "stats/rows.hpp"

namespace koine::methods {

/// One expert's parameters on one matrix.
struct PruneParameters {
  lowrank::RankTarget rank;  ///< singular triplets kept
  double density = 0;        ///< share of the residual's entries kept
  lowrank::SvdOptions svd;
  /// density_over: model: which entries of this matrix fall into the expert's budget; else the
  /// density decides.
  std::optional<sparse::Threshold> threshold;
  std::optional<double> tau_squared;  ///< backend::sum_of_squares of tau, where it is known
  /// Finds or makes the factors of tau; lowrank::truncated_svd where it is empty.
  std::function<lowrank::Factors(MatrixView tau, const PruneParameters& own,
                                 lowrank::Workspace& workspace)>
      factorise;
};

/// A merge method: what it does with one expert's task vector of a selected matrix, and how the
/// parts are combined. Adding a method: one file, one row in registry.cpp, one in the test table,
/// one section in docs/reference/methods.md.
class Method {
 public:
  virtual ~Method() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// W_0 + lambda * sum_t weight_t M_t (true), or sum_t weight_t W_t / sum_t weight_t (false: no
  /// task vectors).
  [[nodiscard]] virtual bool adds_task_vectors() const { return true; }

  /// Whether some tensors are selected for pruning; otherwise every tensor is merged densely.
  [[nodiscard]] virtual bool selects() const { return false; }

  /// Whether M begins as L, the part of low rank; else as nothing.
  [[nodiscard]] virtual bool keeps_low_rank() const { return false; }

  /// Whether M is L with the largest entries of tau - L put back.
  [[nodiscard]] virtual bool keeps_largest() const { return false; }

  /// L of one selected matrix, and what happened into `row` (|L|^2 of a product apart: it is known
  /// when its strips were made). M is L, where keeps_largest() with the entries that find_largest
  /// (parts.hpp) names. Only called where selects().
  /// @pre tau is finite
  [[nodiscard]] virtual LowPart low_part(MatrixView tau, const PruneParameters& parameters,
                                         lowrank::Workspace& workspace,
                                         stats::ExpertRow& row) const;
};

/// @throws InputError for a name that is not in the registry
[[nodiscard]] std::unique_ptr<Method> make(std::string_view name);

}  // namespace koine::methods
