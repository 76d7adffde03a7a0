#include "lowrank/rounded_proof.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "lowrank/certificate.hpp"
#include "lowrank/rounded_panels.hpp"
#include "lowrank/rounded_products.hpp"

namespace koine::lowrank {
namespace {

/// No more eigenvalues of G lie above g than of K above this: Weyl, for singular values of A and A'
/// and then for K's rounding.
double bound_for_k(double g, const Coarse& coarse) {
  if (!(g > coarse.lost * coarse.lost)) return 0;
  const double root = std::sqrt(g) - coarse.lost;
  return root * root - coarse.error;
}

}  // namespace

bool no_more_above(double g, std::int64_t short_side, std::int64_t kept, std::int64_t rung,
                   Workspace& workspace) {
  const Coarse& coarse = workspace.coarse;
  const FromProducts known{coarse.without, rung, rounded_times_error(short_side, workspace)};
  return nothing_missed_by_products(bound_for_k(g, coarse), short_side, kept, known, coarse.space,
                                    workspace);
}

bool no_more_above_by_cholesky(double g, std::int64_t short_side, std::int64_t kept,
                               Workspace& workspace) {
  const double floor = rounding_floor(short_side, workspace.values.data()[0]);
  const double c = bound_for_k(g, workspace.coarse) - floor;
  if (!(c > 0)) return false;
  double* gram = workspace.gram.reserve(static_cast<std::size_t>(short_side * short_side));
  for (std::int64_t first = 0; first < short_side; first += kColumnsOfPanel) {
    const Columns<float> panel = panel_of(short_side, first, workspace);
    for (std::int64_t i = 0; i < short_side; ++i)
      std::copy_n(panel.data + i * kColumnsOfPanel, panel.rows, gram + i * short_side + first);
  }
  return nothing_missed_above(c, short_side, kept, workspace);
}

}  // namespace koine::lowrank
