#include "lowrank/through_tau.hpp"

#include <algorithm>
#include <cmath>

#include "core/rules.hpp"
#include "lowrank/block_products.hpp"
#include "lowrank/tau_block.hpp"
#include "lowrank/tau_columns.hpp"

namespace koine::lowrank {
namespace {

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// The stripes of one call: u and images [stripes, 8, short], right [stripes, long, 8].
class Passage {
 public:
  Passage(const ShortSideFirst& side, std::int64_t rung, bool has_images, Workspace& workspace)
      : side_(side),
        tau_(packed_columns(side, workspace)),
        stripes_((rung + kStripe - 1) / kStripe),
        has_images_(has_images) {
    const std::int64_t m = side.short_side, u = stripes_ * m * kStripe;
    u_ = workspace.stripes.reserve(as_size(has_images ? 2 * u : u));
    images_ = u_ + u;
    right_ = workspace.right.reserve(as_size(stripes_ * side.long_side * kStripe));
    std::copy_n(workspace.vectors.data(), rung * m, u_);
    std::fill(u_ + rung * m, images_, 0.0);
  }

  void run() {
    const BlockProducts<float, double>& kernel = fastest_products<float, double>();
    const std::int64_t m = side_.short_side, n = side_.long_side;
    for (std::int64_t first = 0; first < n; first += kTauPanel) {
      const Columns<float> panel{tau_ + first * m, std::min(kTauPanel, n - first), m, m};
      for (std::int64_t s = 0; s < stripes_; ++s) {
        double* right = right_ + (s * n + first) * kStripe;
        kernel.inner_products(panel, u_ + s * m * kStripe, right);
        if (!has_images_) continue;
        kernel.combine(panel, right, first == 0 ? Onto::zero : Onto::out,
                       images_ + s * m * kStripe);
      }
    }
  }

  void put_images(std::int64_t rung, double* images) const {
    std::copy_n(images_, rung * side_.short_side, images);
  }

  /// |A^T u|^2 of the k-th u.
  [[nodiscard]] double squared(std::int64_t k) const {
    const double* column = right_ + k / kStripe * side_.long_side * kStripe + k % kStripe;
    double sum = 0;
    for (std::int64_t j = 0; j < side_.long_side; ++j)
      sum += column[j * kStripe] * column[j * kStripe];
    return sum;
  }

 private:
  ShortSideFirst side_;
  const float* tau_;
  std::int64_t stripes_;
  bool has_images_;
  double *u_ = nullptr, *images_ = nullptr, *right_ = nullptr;
};

}  // namespace

void project(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace) {
  (void)columns_of(side, workspace);
  Passage(side, rung, false, workspace).run();
}

void project_and_judge(const ShortSideFirst& side, std::int64_t rung, Workspace& workspace) {
  Passage passage(side, rung, true, workspace);
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
