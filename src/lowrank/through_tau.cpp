#include "lowrank/through_tau.hpp"

#include <algorithm>
#include <cmath>

#include "core/rules.hpp"
#include "lowrank/skinny.hpp"

namespace koine::lowrank {
namespace {

constexpr std::int64_t kPanel = 64;  // of the long side: in float64 it stays in the second cache
static_assert(kTauPanel % kPanel == 0);

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// Columns [first, first + length) of A in float64, in the order in which tau holds them.
Piece<double> widen_piece(const TauPanels& tau, std::int64_t first, std::int64_t length,
                          double* panel) {
  const std::int64_t m = tau.side.short_side;
  Piece<float> piece{tau.side.tau.data + first * m, length, m, m};
  if (!tau.side.is_transposed) {
    piece = tau.columns(first);
    piece.cols = length;
  }
  fastest_skinny<double>().widen(piece, panel);
  return {panel, piece.rows, piece.cols, piece.cols};
}

/// out += A_panel in, or A_panel^T in.
void add_product(const ShortSideFirst& side, const Piece<double>& panel, bool of_transpose,
                 const double* in, double* out) {
  const SkinnyVariant<double>& kernel = fastest_skinny<double>();
  (side.is_transposed == of_transpose ? kernel.times : kernel.transposed_times)(panel, in, out);
}

/// The stripes of one call: u and images [stripes, short, 8], right [stripes, long, 8].
class Passage {
 public:
  Passage(const TauPanels& tau, std::int64_t rung, bool has_images, Workspace& workspace)
      : tau_(tau), stripes_((rung + kStripe - 1) / kStripe), has_images_(has_images) {
    const ShortSideFirst& side = tau.side;
    const std::int64_t u = stripes_ * side.short_side * kStripe;
    u_ = workspace.stripes.reserve(as_size(has_images ? 2 * u : u));
    images_ = u_ + u;
    right_ = workspace.right.reserve(as_size(stripes_ * side.long_side * kStripe));
    panel_ = workspace.panel.reserve(as_size(side.short_side * std::min(kPanel, side.long_side)));
    for (std::int64_t s = 0; s < stripes_; ++s)
      take_stripe(workspace.vectors.data(), side.short_side, s * kStripe, rung,
                  u_ + s * side.short_side * kStripe);
    if (has_images) std::fill_n(images_, u, 0.0);
    std::fill_n(right_, stripes_ * side.long_side * kStripe, 0.0);
  }

  void run() {
    const std::int64_t m = tau_.side.short_side * kStripe, n = tau_.side.long_side;
    for (std::int64_t first = 0; first < n; first += kPanel) {
      const Piece<double> panel = widen_piece(tau_, first, std::min(kPanel, n - first), panel_);
      for (std::int64_t s = 0; s < stripes_; ++s) {
        double* right = right_ + (s * n + first) * kStripe;
        add_product(tau_.side, panel, true, u_ + s * m, right);
        if (has_images_) add_product(tau_.side, panel, false, right, images_ + s * m);
      }
    }
  }

  void put_images(std::int64_t rung, double* images) const {
    for (std::int64_t s = 0; s < stripes_; ++s)
      put_stripe(images_ + s * tau_.side.short_side * kStripe, kStripe, tau_.side.short_side,
                 std::min(kStripe, rung - s * kStripe),
                 images + s * kStripe * tau_.side.short_side);
  }

  /// |A^T u|^2 of the k-th u.
  [[nodiscard]] double squared(std::int64_t k) const {
    const double* column = right_ + k / kStripe * tau_.side.long_side * kStripe + k % kStripe;
    double sum = 0;
    for (std::int64_t j = 0; j < tau_.side.long_side; ++j)
      sum += column[j * kStripe] * column[j * kStripe];
    return sum;
  }

 private:
  TauPanels tau_;
  std::int64_t stripes_;
  bool has_images_;
  double *u_ = nullptr, *images_ = nullptr, *right_ = nullptr, *panel_ = nullptr;
};

}  // namespace

void project(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace) {
  Passage({side, nullptr}, rung, false, workspace).run();
}

void project_and_judge(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace) {
  Passage passage(packed_panels(side, workspace), rung, true, workspace);
  passage.run();
  passage.put_images(rung, workspace.images.reserve(as_size(side.short_side * rung)));
  for (std::int64_t k = 0; k < rung; ++k) workspace.values.data()[k] = passage.squared(k);
}

void round_projection(std::int64_t long_side, std::span<float> b, const Workspace& workspace) {
  const auto kept = static_cast<std::int64_t>(b.size()) / long_side;
  for (std::int64_t k = 0; k < kept; ++k) {
    const double* from = workspace.right.data() + k / kStripe * long_side * kStripe + k % kStripe;
    for (std::int64_t j = 0; j < long_side; ++j)
      b[as_size(k * long_side + j)] = rules::round_f32(from[j * kStripe]);
  }
}

double residual_through_tau(std::int64_t short_side, std::int64_t kept, Workspace& workspace) {
  const double* values = workspace.values.data();
  double worst = 0;
  for (std::int64_t k = 0; k < kept; ++k) {
    const double* u = workspace.vectors.data() + k * short_side;
    const double* image = workspace.images.data() + k * short_side;
    double sum = 0;
    for (std::int64_t i = 0; i < short_side; ++i) {
      const double difference = image[i] - values[k] * u[i];
      sum += difference * difference;
    }
    const double residual = std::sqrt(sum) / values[0];
    if (!(residual <= worst)) worst = residual;
  }
  return worst;
}

}  // namespace koine::lowrank
