#include "backend/device_lane.hpp"

#include <algorithm>
#include <chrono>

#include "core/error.hpp"

namespace koine::backend {
template <typename... Parameters, typename... Arguments>
void DeviceLane::call(int (*function)(cuda::Lane*, Parameters...), Arguments... arguments) {
  cuda::Failure failure{};
  if (function(lane_, arguments..., &failure) != 0) throw DeviceError(failure.text);
}

template <typename... Parameters, typename... Arguments>
void DeviceLane::ask(Work work, int (*function)(cuda::Lane*, Parameters...),
                     Arguments... arguments) {
  const auto begun = std::chrono::steady_clock::now();
  call(function, arguments...);
  kernel_seconds_[static_cast<std::size_t>(work)] +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

DeviceLane::DeviceLane(const CudaLibrary& library, int device, int slots)
    : table_(library.table()), gram_(gram_of(library.device(device))), slots_(slots) {
  cuda::Failure failure{};
  if (table_.open(device, slots, &lane_, &failure) != 0) throw DeviceError(failure.text);
}

DeviceLane::~DeviceLane() {
  table_.close(lane_);
}

void DeviceLane::begin(std::int64_t rows, std::int64_t cols, int places) {
  rows_ = rows;
  cols_ = cols;
  places_ = places;
  const cuda::Shape shape{rows, cols, places};
  call(table_.begin, &shape);
}

std::span<std::byte> DeviceLane::intake(int buffer, std::int64_t bytes) {
  void* memory = nullptr;
  call(table_.intake, buffer, bytes, &memory);
  return {static_cast<std::byte*>(memory), static_cast<std::size_t>(bytes)};
}

void DeviceLane::send(int buffer, std::int64_t bytes) {
  call(table_.send, buffer, bytes);
}

void DeviceLane::start(int place, const cuda::Stored& base) {
  call(table_.start, place, &base);
}

void DeviceLane::start_with_zeros(int place) {
  call(table_.start, place, nullptr);
}

void DeviceLane::put(int slot, int place, const cuda::Stored& expert) {
  call(table_.put, slot, place, &expert);
}

void DeviceLane::clear(int slot) {
  call(table_.put, slot, 0, nullptr);
}

DeviceLane::Facts DeviceLane::facts() {
  std::vector<cuda::TaskVectorFacts> of_slots(static_cast<std::size_t>(slots_));
  std::vector<std::int32_t> is_finite(static_cast<std::size_t>(places_));
  call(table_.facts, of_slots.data(), is_finite.data());
  Facts facts;
  for (const auto& slot : of_slots)
    facts.task_vectors.push_back({slot.squared, slot.is_finite != 0});
  facts.base_is_finite.assign(is_finite.begin(), is_finite.end());
  return facts;
}

void DeviceLane::fetch_task_vector(int slot, std::span<float> tau) {
  ask(Work::proof, table_.fetch_task_vector, slot, tau.data());
}

void DeviceLane::make_gram(cuda::Gram gram) {
  ask(Work::gram, table_.gram, gram);
}

void DeviceLane::krylov(const cuda::KrylovAsk& question, std::span<cuda::KrylovAnswer> answers) {
  make_gram(question.gram);
  ask(Work::krylov, table_.krylov, &question, answers.data());
}

bool DeviceLane::dense_pairs(int slot, cuda::DenseSolver solver, std::span<double> values) {
  std::int32_t has_converged = 0;
  make_gram(cuda::Gram::float64);
  ask(Work::krylov, table_.dense_pairs, slot, solver, static_cast<std::int64_t>(values.size()),
      values.data(), &has_converged);
  return has_converged != 0;
}

DeviceLane::Judgement DeviceLane::judge(int slot, cuda::SomePairs some) {
  Judgement judgement;
  ask(Work::proof, table_.judge, slot, &some, &judgement.residual, &judgement.defect);
  return judgement;
}

std::vector<bool> DeviceLane::are_definite(cuda::SomePairs some, std::span<const double> c) {
  std::vector<std::int32_t> is_so(c.size());
  ask(Work::proof, table_.are_definite, &some, c.data(), is_so.data());
  return {is_so.begin(), is_so.end()};
}

void DeviceLane::factors(int slot, cuda::PairsOf of, std::span<double> u, std::span<float> b) {
  const std::int64_t shorter = std::min(rows_, cols_), longer = std::max(rows_, cols_);
  const cuda::Table::FactorsAsk question{{of, static_cast<std::int64_t>(u.size()) / shorter},
                                         static_cast<std::int64_t>(b.size()) / longer};
  ask(Work::proof, table_.factors, slot, &question, u.data(), b.data());
}

double DeviceLane::begin_m(int slot, cuda::LowPart kind, const cuda::FactorArrays* factors) {
  double squared = 0;
  ask(Work::selection, table_.low_part, slot, kind, factors, &squared);
  return squared;
}

cuda::Threshold DeviceLane::kth_largest(int slot, std::int64_t k) {
  cuda::Threshold threshold{};
  ask(Work::selection, table_.kth_largest, slot, k, &threshold);
  return threshold;
}

std::int64_t DeviceLane::take_kept(int slot, const cuda::Threshold& threshold) {
  std::int64_t taken = 0;
  ask(Work::selection, table_.take_kept, slot, &threshold, &taken);
  return taken;
}

double DeviceLane::add(int place, double weight) {
  double squared = 0;
  ask(Work::sum, table_.add, place, weight, &squared);
  return squared;
}

cuda::FinishFacts DeviceLane::finish(int place, const Finish& question, int buffer) {
  const cuda::FinishAsk all{question.lambda, question.divisor, buffer,
                            static_cast<std::uint8_t>(question.dtype)};
  cuda::FinishFacts facts{};
  ask(Work::sum, table_.finish, place, &all, &facts);
  return facts;
}

std::span<const std::byte> DeviceLane::take(int buffer, std::int64_t bytes) {
  const void* memory = nullptr;
  call(table_.take, buffer, &memory);
  return {static_cast<const std::byte*>(memory), static_cast<std::size_t>(bytes)};
}

DeviceLane::Busy DeviceLane::busy() {
  cuda::CopyTimes copies{};
  call(table_.copy_times, &copies);
  return {copies.in, copies.out, kernel_seconds_};
}

}  // namespace koine::backend
