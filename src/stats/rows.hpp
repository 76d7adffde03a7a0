#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace koine::stats {

/// What the report says of one expert's part in one tensor (or, summed, in the whole model).
struct ExpertRow {
  double tau_squared = 0;     ///< |tau|_F^2
  double low_squared = 0;     ///< |L|_F^2, 0 where there is no low-rank part
  double merged_squared = 0;  ///< |M|_F^2
  double energy = 0;          ///< sum of the kept squared singular values (float64 factors)
  std::int64_t kept = 0;      ///< entries taken from tau (all, where the tensor is merged densely)

  // Of one matrix only:
  std::int64_t low_rank = 0;  ///< singular triplets kept
  double threshold = 0;       ///< smallest kept |tau - L| (of all matrices, where one budget goes
                              ///< over the model); 0 where nothing was selected
  /// Entries equal to the threshold that were taken; only where one budget goes over the model.
  std::optional<std::int64_t> ties;
  double residual = 0, gap = 0;
  double sigma_first = 0, sigma_last = 0;  ///< largest and last kept singular value
  bool is_certified = false;
  std::string
      certificate;  ///< the proof: "remainder", "cholesky", "energy"; empty where none was needed
  std::int64_t iterations = 0, fallbacks = 0;
  std::string method;  ///< "host:krylov", …; "dense" where nothing was thinned out
};

/// What the report says of one merged tensor (or, summed, of the model). D = sum_t weight_t M_t.
struct ModelRow {
  double base_dot_delta = 0;     ///< <W_0, D>
  double delta_squared = 0;      ///< |D|^2
  std::int64_t signs_total = 0;  ///< entries where at least two experts' M is not zero
  std::int64_t signs_agree = 0;  ///< of these: all non-zero M have one sign
  std::int64_t overflows = 0;    ///< finite values that became infinite in the output's type
  std::int64_t nonfinite = 0;  ///< input values that were not finite (only with --allow-nonfinite)
};

struct TensorRow {
  ModelRow model;
  std::vector<ExpertRow> experts;
};

/// Sets figures that are not finite (--allow-nonfinite) to 0: JSON and exact sums hold finite ones
/// only.
void clear_nonfinite(TensorRow& row);

/// Sums over a model; the order of addition is the tensors' canonical order.
struct Totals {
  ModelRow model;
  std::vector<ExpertRow> experts;
};

/// Adds one tensor's figures, as Slots::totals does: the same sums where tensors come in canonical
/// order. @pre both have as many experts
void add(const TensorRow& row, Totals& sum);

/// One slot per tensor and figure: the tensor's owner fills it, everybody else leaves +0, so that
/// adding the slots of all processes is exact. Counts travel as doubles (all are below 2^53).
class Slots {
 public:
  Slots(std::size_t tensors, std::size_t experts);
  void fill(std::size_t tensor, const TensorRow& row);  ///< @pre every figure is finite
  [[nodiscard]] std::span<double> values() noexcept { return values_; }
  /// Serial sums in canonical order, the same on every process.
  [[nodiscard]] Totals totals() const;

 private:
  std::size_t experts_;
  std::vector<double> values_;
};

}  // namespace koine::stats
