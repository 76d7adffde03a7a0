#include "backend/device_lane.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace koine::backend {
namespace {

cuda::Stored stored(const RawSpan& raw) {
  return {raw.bytes.data(), static_cast<std::uint8_t>(raw.dtype)};
}

}  // namespace

template <typename... Parameters, typename... Arguments>
void DeviceLane::ask(int (*function)(cuda::Lane*, Parameters...), Arguments... arguments) {
  cuda::Failure failure{};
  if (function(lane_, arguments..., &failure) != 0) throw DeviceError(failure.text);
}

DeviceLane::DeviceLane(const CudaLibrary& library, int device, int slots)
    : table_(library.table()), slots_(slots) {
  cuda::Failure failure{};
  if (table_.open(device, slots, &lane_, &failure) != 0) throw DeviceError(failure.text);
}

DeviceLane::~DeviceLane() {
  table_.close(lane_);
}

bool DeviceLane::start(std::int64_t rows, std::int64_t cols, const RawSpan& base) {
  rows_ = rows;
  cols_ = cols;
  const cuda::TensorStart tensor{rows, cols, stored(base)};
  std::int32_t is_finite = 0;
  ask(table_.start, &tensor, &is_finite);
  return is_finite != 0;
}

TaskVectorFigures DeviceLane::put(int slot, const RawSpan& expert) {
  const cuda::Stored raw = stored(expert);
  cuda::TaskVectorFacts facts{};
  ask(table_.put, slot, &raw, &facts);
  return {facts.squared, facts.is_finite != 0};
}

void DeviceLane::clear(int slot) {
  cuda::TaskVectorFacts facts{};
  ask(table_.put, slot, nullptr, &facts);
}

void DeviceLane::fetch_task_vector(int slot, std::span<float> tau) {
  ask(table_.fetch_task_vector, slot, tau.data());
}

void DeviceLane::krylov(const cuda::KrylovAsk& question, std::span<cuda::KrylovAnswer> answers) {
  ask(table_.krylov, &question, answers.data());
}

bool DeviceLane::dense_pairs(int slot, cuda::DenseSolver solver, std::span<double> values) {
  std::int32_t has_converged = 0;
  ask(table_.dense_pairs, slot, solver, static_cast<std::int64_t>(values.size()), values.data(),
      &has_converged);
  return has_converged != 0;
}

DeviceLane::Judgement DeviceLane::judge(int slot, std::int64_t kept) {
  Judgement judgement;
  ask(table_.judge, slot, kept, &judgement.residual, &judgement.defect);
  return judgement;
}

bool DeviceLane::is_definite(int slot, std::int64_t kept, double c) {
  std::int32_t is_so = 0;
  ask(table_.is_definite, slot, kept, c, &is_so);
  return is_so != 0;
}

void DeviceLane::factors(int slot, std::span<double> u, std::span<float> b) {
  const std::int64_t shorter = std::min(rows_, cols_), longer = std::max(rows_, cols_);
  const cuda::Table::FactorsAsk question{static_cast<std::int64_t>(u.size()) / shorter,
                                         static_cast<std::int64_t>(b.size()) / longer};
  ask(table_.factors, slot, &question, u.data(), b.data());
}

double DeviceLane::begin_m(int slot, cuda::LowPart kind, const cuda::FactorArrays* factors) {
  double squared = 0;
  ask(table_.low_part, slot, kind, factors, &squared);
  return squared;
}

cuda::Threshold DeviceLane::kth_largest(int slot, std::int64_t k) {
  cuda::Threshold threshold{};
  ask(table_.kth_largest, slot, k, &threshold);
  return threshold;
}

std::int64_t DeviceLane::take_kept(int slot, const cuda::Threshold& threshold) {
  std::int64_t taken = 0;
  ask(table_.take_kept, slot, &threshold, &taken);
  return taken;
}

double DeviceLane::add(double weight) {
  double squared = 0;
  ask(table_.add, weight, &squared);
  return squared;
}

cuda::FinishFacts DeviceLane::finish(const cuda::FinishAsk& question, std::span<std::byte> out) {
  cuda::FinishFacts facts{};
  ask(table_.finish, &question, static_cast<void*>(out.data()), &facts);
  return facts;
}

}  // namespace koine::backend
