#include "lowrank/rung.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "lowrank/certificate.hpp"

namespace koine::lowrank {
namespace {

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

void fill_values(const RungAnswer& answer, const Verdict& verdict, Factors& factors) {
  for (const double value : answer.values) factors.sigma.push_back(std::sqrt(std::max(value, 0.0)));
  // Values that only rounding tells apart come in any order.
  std::sort(factors.sigma.begin(), factors.sigma.end(), std::greater<>());
  for (std::int64_t i = 0; i < verdict.kept; ++i) factors.energy += answer.values[as_size(i)];
  const auto sigma_at = [&](std::int64_t i) {
    return as_size(i) < factors.sigma.size() ? factors.sigma[as_size(i)] : 0.0;
  };
  factors.gap = (sigma_at(verdict.kept - 1) - sigma_at(verdict.kept)) / sigma_at(0);
}

/// U [short, kept] of [short, width], B the first rows.
void fill_matrices(const RungAnswer& answer, std::int64_t short_side, std::int64_t long_side,
                   Factors& factors) {
  const auto kept = as_size(factors.kept), width = answer.u.size() / as_size(short_side);
  factors.u.reserve(as_size(short_side) * kept);
  for (auto row = answer.u.begin(); row != answer.u.end(); row += static_cast<long>(width))
    factors.u.insert(factors.u.end(), row, row + factors.kept);
  factors.b.assign(answer.b.begin(), answer.b.begin() + factors.kept * long_side);
}

Factors factors_of(const Rung& rung, const RungAnswer& answer, const Verdict& verdict) {
  Factors factors;
  factors.rows = rung.rows;
  factors.cols = rung.cols;
  factors.is_transposed = is_transposed(rung.rows, rung.cols);
  factors.tau_squared = rung.tau_squared;
  factors.kept = verdict.kept;
  factors.residual = verdict.residual;
  factors.certified = !verdict.certificate.empty();
  factors.certificate = verdict.certificate;
  factors.iterations = answer.blocks;
  factors.fallbacks = &answer - rung.answers.data();
  factors.method = answer.method;
  if (verdict.kept == 0) return factors;
  fill_values(answer, verdict, factors);
  fill_matrices(answer, std::min(rung.rows, rung.cols), std::max(rung.rows, rung.cols), factors);
  return factors;
}

}  // namespace

const Verdict* RungAnswer::verdict(std::int64_t asked) const noexcept {
  const auto found = std::ranges::find(verdicts, asked, &Verdict::asked);
  return found == verdicts.end() ? nullptr : &*found;
}

std::int64_t pairs_asked(const Rung& rung, const std::vector<double>& values,
                         const RankTarget& target) {
  const std::int64_t full = std::min(rung.rows, rung.cols);
  if (target.energy <= 0) return std::min(target.number.kept, full);
  const double wanted = target.energy * rung.tau_squared;
  const double floor = rounding_floor(full, values[0]);
  double sum = 0;
  for (std::int64_t i = 0; i < rung.rung; ++i) {
    if (i > 0 && (sum >= wanted || values[as_size(i)] <= floor)) return i;
    sum += values[as_size(i)];
  }
  return sum >= wanted || rung.rung == full ? rung.rung : rung.rung + 1;
}

Cut cut(const Rung& rung, const RankTarget& target, Mode mode) {
  for (const RungAnswer& answer : rung.answers) {
    if (!answer.has_converged) continue;
    const std::int64_t asked = pairs_asked(rung, answer.values, target);
    if (asked > rung.rung) return {Cut::Kind::climbs, asked, {}};
    const Verdict* verdict = answer.verdict(asked);
    if (verdict == nullptr) return {Cut::Kind::unknown, asked, {}};
    const bool is_last = rung.is_exhausted && &answer == &rung.answers.back();
    if (verdict->passes(mode) || is_last)
      return {Cut::Kind::found, asked, factors_of(rung, answer, *verdict)};
  }
  return {};
}

}  // namespace koine::lowrank
