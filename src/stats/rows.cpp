#include "stats/rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace koine::stats {
namespace {

constexpr std::size_t kModelFigures = 6;
constexpr std::size_t kExpertFigures = 5;

void put(const ModelRow& row, double* at) {
  at[0] = row.base_dot_delta;
  at[1] = row.delta_squared;
  at[2] = static_cast<double>(row.signs_total);
  at[3] = static_cast<double>(row.signs_agree);
  at[4] = static_cast<double>(row.overflows);
  at[5] = static_cast<double>(row.nonfinite);
}

void add(const double* at, ModelRow& sum) {
  sum.base_dot_delta += at[0];
  sum.delta_squared += at[1];
  sum.signs_total += static_cast<std::int64_t>(at[2]);
  sum.signs_agree += static_cast<std::int64_t>(at[3]);
  sum.overflows += static_cast<std::int64_t>(at[4]);
  sum.nonfinite += static_cast<std::int64_t>(at[5]);
}

void put(const ExpertRow& row, double* at) {
  at[0] = row.tau_squared;
  at[1] = row.low_squared;
  at[2] = row.merged_squared;
  at[3] = row.energy;
  at[4] = static_cast<double>(row.kept);
}

void add(const double* at, ExpertRow& sum) {
  sum.tau_squared += at[0];
  sum.low_squared += at[1];
  sum.merged_squared += at[2];
  sum.energy += at[3];
  sum.kept += static_cast<std::int64_t>(at[4]);
}

void clear(double& figure) {
  if (!std::isfinite(figure)) figure = 0;
}

}  // namespace

void clear_nonfinite(TensorRow& row) {
  clear(row.model.base_dot_delta);
  clear(row.model.delta_squared);
  for (ExpertRow& expert : row.experts) {
    clear(expert.tau_squared);
    clear(expert.merged_squared);
  }
}

void add(const TensorRow& row, Totals& sum) {
  std::array<double, std::max(kModelFigures, kExpertFigures)> figures{};
  put(row.model, figures.data());
  add(figures.data(), sum.model);
  for (std::size_t t = 0; t < sum.experts.size(); ++t) {
    put(row.experts.at(t), figures.data());
    add(figures.data(), sum.experts[t]);
  }
}

Slots::Slots(std::size_t tensors, std::size_t experts)
    : experts_(experts), values_(tensors * (kModelFigures + experts * kExpertFigures), 0.0) {}

void Slots::fill(std::size_t tensor, const TensorRow& row) {
  double* at = values_.data() + tensor * (kModelFigures + experts_ * kExpertFigures);
  put(row.model, at);
  for (std::size_t t = 0; t < experts_; ++t)
    put(row.experts[t], at + kModelFigures + t * kExpertFigures);
}

Totals Slots::totals() const {
  Totals totals;
  totals.experts.resize(experts_);
  const std::size_t stride = kModelFigures + experts_ * kExpertFigures;
  for (std::size_t start = 0; start < values_.size(); start += stride) {
    const double* at = values_.data() + start;
    add(at, totals.model);
    for (std::size_t t = 0; t < experts_; ++t)
      add(at + kModelFigures + t * kExpertFigures, totals.experts[t]);
  }
  return totals;
}

}  // namespace koine::stats
