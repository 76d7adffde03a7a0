#include "pipeline/work.hpp"

#include <algorithm>
#include <utility>

#include "lowrank/krylov.hpp"
#include "lowrank/truncated_svd.hpp"
#include "pipeline/plan.hpp"

namespace koine::pipeline {
namespace {

constexpr double kBlocks = 7.5;   // of a Krylov basis: 7 or 8 on fine-tuned experts
constexpr double kNearby = 2.25;  // of one that begins near its pairs: 2 or 3

struct Sides {
  double shorter = 0, longer = 0;
};

Sides sides_of(const Shape& shape) {
  const auto [shorter, longer] = std::minmax(shape.front(), shape.back());
  return {static_cast<double>(shorter), static_cast<double>(longer)};
}

std::int64_t kept_of(const TensorPart& part, const Shape& shape) {
  constexpr std::int64_t kEnergyShare = 4;
  const std::int64_t full = std::min(shape.front(), shape.back());
  return part.prune.rank.energy > 0 ? full / kEnergyShare : part.prune.rank.number.kept;
}

double share(double work, double rate) {
  return rate > 0 ? work / rate : 0;
}

}  // namespace

Work& Work::operator+=(const Work& other) noexcept {
  bytes_read += other.bytes_read;
  bytes_written += other.bytes_written;
  parts += other.parts;
  pruned += other.pruned;
  results += other.results;
  gram += other.gram;
  space += other.space;
  return *this;
}

const Rates& common_rates() noexcept {
  static constexpr Rates kRates{.bytes_read = 6e9,
                                .bytes_written = 0.9e9,
                                .parts = 1.1e9,
                                .pruned = 3.3e8,
                                .results = 9e8,
                                .gram = 8.5e10,
                                .space = 2.6e10};
  return kRates;
}

const Rates& gpu_rates() noexcept {
  static constexpr Rates kRates{.bytes_read = 2.5e9,
                                .bytes_written = 0.5e9,
                                .parts = 7e10,
                                .pruned = 4e10,
                                .results = 5e10,
                                .gram = 3e13,
                                .space = 1.5e12};
  return kRates;
}

double seconds_of(const Work& work, const Rates& rates) noexcept {
  return share(work.bytes_read, rates.bytes_read) + share(work.bytes_written, rates.bytes_written) +
         share(work.parts, rates.parts) + share(work.pruned, rates.pruned) +
         share(work.results, rates.results) + share(work.gram, rates.gram) +
         share(work.space, rates.space);
}

Rates calibrated(const Rates& nominal, const Work& work, const StageSeconds& stages) {
  Rates rates = nominal;
  const auto rate = [](double amount, double seconds, double otherwise) {
    return amount > 0 && seconds > 0 ? amount / seconds : otherwise;
  };
  rates.bytes_read = rate(work.bytes_read, stages.read, nominal.bytes_read);
  rates.bytes_written = rate(work.bytes_written, stages.write, nominal.bytes_written);
  rates.parts = rate(work.parts, stages.parts, nominal.parts);
  rates.results = rate(work.results, stages.results, nominal.results);
  const Work pruning{.pruned = work.pruned, .gram = work.gram, .space = work.space};
  const double scale = rate(seconds_of(pruning, nominal), stages.prune, 1);
  rates.pruned *= scale;
  rates.gram *= scale;
  rates.space *= scale;
  return rates;
}

Work merging_work(const PlannedTensor& planned, const Shape& shape) {
  double elements = 1;
  for (const std::int64_t side : shape) elements *= static_cast<double>(side);
  Work work;
  work.bytes_read = static_cast<double>(planned.bytes_in);
  work.bytes_written = static_cast<double>(planned.bytes_out);
  if (planned.treatment == Treatment::copied) return work;
  work.results = elements;
  if (planned.treatment == Treatment::base) return work;
  const auto experts = static_cast<double>(planned.parts.size());
  const double passes = planned.bytes_searched > 0 ? 1 + kBudgetPasses : 1;
  work.parts = passes * experts * elements;
  if (planned.treatment == Treatment::pruned) work.pruned = work.parts;
  return work;
}

bool needs_factors(const TensorPart& part, const Shape& shape) noexcept {
  if (part.prune.rank.energy > 0) return true;
  const std::int64_t kept = part.prune.rank.number.kept;
  return kept > 0 && kept < std::min(shape.front(), shape.back());
}

Work factor_work(const TensorPart& part, const Shape& shape) {
  if (!needs_factors(part, shape)) return {};
  const auto [m, n] = sides_of(shape);
  const auto full = std::min(shape.front(), shape.back());
  const std::int64_t rung = lowrank::rung_of(kept_of(part, shape), full);
  const auto vectors = std::min(m, kBlocks * static_cast<double>(rung));
  const lowrank::Mode mode = part.prune.svd.mode;
  if (mode == lowrank::Mode::exact || !lowrank::prefers_krylov(full, rung))
    return {.gram = m * m * n, .space = 4.0 / 3 * m * m * m};
  const double space = 4 * m * vectors * vectors + 4 * m * n * static_cast<double>(rung);
  if (mode == lowrank::Mode::fast) return {.gram = 4 * m * n * vectors, .space = space};
  const double nearby = std::min(m, kNearby * static_cast<double>(rung));
  const double by_integers = 2.0 / 3 * m * m * n + 2 * m * m * vectors;
  return {.gram = by_integers + 4 * m * n * nearby, .space = space + 4 * m * nearby * nearby};
}

std::int64_t factor_bytes(const TensorPart& part, const Shape& shape) noexcept {
  if (!needs_factors(part, shape)) return 0;
  const std::int64_t full = std::min(shape.front(), shape.back());
  return 4 * lowrank::rung_of(kept_of(part, shape), full) * (shape.front() + shape.back());
}

}  // namespace koine::pipeline
