#include "pipeline/tensor_reader.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "backend/elementwise.hpp"
#include "core/error.hpp"
#include "core/lanes.hpp"
#include "core/stop.hpp"
#include "pipeline/bad_values.hpp"
#include "pipeline/blocks.hpp"

namespace koine::pipeline {

TensorReader::TensorReader(const PlannedTensor& planned, const MergeContext& context,
                           Scratch& scratch)
    : context_(context),
      scratch_(scratch),
      base_(context.inputs.base.tensors[planned.index]),
      hashes_(context.inputs.experts.size() + 1) {
  const std::size_t experts = context.inputs.experts.size();
  experts_.reserve(experts);
  for (std::size_t t = 0; t < experts; ++t)
    experts_.push_back(context.inputs.tensor_of(t, planned.index));
}

std::span<const std::byte> TensorReader::read(std::size_t model, std::int64_t first,
                                              std::int64_t count, Pool<std::byte>& buffer) {
  const auto bytes = buffer.take(count * size_of(source(model).dtype));
  read_into(model, first, bytes);
  return bytes;
}

void TensorReader::announce(std::size_t model) const {
  context_.sources[model].will_read(source(model), 0, source(model).count());
}

void TensorReader::read_into(std::size_t model, std::int64_t first, std::span<std::byte> bytes) {
  throw_if_stopped();
  const StageTimer timer(context_.progress, Stage::read);
  const std::int64_t count = static_cast<std::int64_t>(bytes.size()) / size_of(source(model).dtype);
  context_.sources[model].read(source(model), first, count, bytes);
  const std::int64_t next = first + count;
  context_.sources[model].will_read(source(model), next,
                                    std::min(count, source(model).count() - next));
  hashes_[model].update(bytes);
  context_.progress.bytes += static_cast<std::int64_t>(bytes.size());
}

std::span<const std::byte> TensorReader::read_base(std::int64_t first, std::int64_t count) {
  const std::int64_t width = size_of(base_.dtype);
  const bool is_wide = base_.dtype == DType::f32;
  const auto base = scratch_.base.take(count);
  const auto raw = is_wide ? std::as_writable_bytes(base) : scratch_.raw_base.take(count * width);
  for_blocks(count, [&](auto f, auto n) {
    const auto block = slice(raw, f * width, n * width);
    read_into(0, first + f, block);
    if (!is_wide) backend::widen({base_.dtype, block}, slice(base, f, n));
  });
  require_finite(base, first, 0);
  return raw;
}

backend::TaskVectorFigures TensorReader::read_task_vector(std::size_t t, std::span<float> tau) {
  const auto count = static_cast<std::int64_t>(tau.size());
  const std::span<const float> base = scratch_.base.take(count);
  backend::SquareSum squares;
  bool is_finite = true;
  static_assert(kBlock % kLanes == 0);
  for_blocks(count, [&](auto f, auto n) {  // read, hashed and used within the second cache
    const auto raw = read(t + 1, f, n, scratch_.raw_expert);
    const StageTimer timer(context_.progress, Stage::task_vector);
    is_finite = backend::next_task_vector({experts_[t].dtype, raw}, slice(base, f, n),
                                          slice(tau, f, n), squares) &&
                is_finite;
  });
  if (t + 1 < experts_.size()) announce(t + 2);
  if (!is_finite) require_finite(tau, 0, t + 1);
  return {squares.total(), is_finite};
}

bool TensorReader::require_finite(std::span<const float> values, std::int64_t first,
                                  std::size_t model) {
  const auto bad = backend::first_nonfinite(values);
  if (!bad) return true;
  if (!context_.allow_nonfinite) throw_nonfinite(path(model), source(model).name, first + *bad);
  nonfinite_ += std::ranges::count_if(values, [](float x) { return !std::isfinite(x); });
  return false;
}

std::vector<std::string> TensorReader::fingerprints() const {
  std::vector<std::string> prints;
  prints.reserve(hashes_.size());
  for (const Fingerprint& hash : hashes_) prints.push_back(hash.hex());
  return prints;
}

void TensorReader::require_unchanged(std::size_t model, const std::string& before) const {
  if (fingerprint(model) == before) return;
  throw InputError(fmt::format(
      "{}: tensor '{}' has changed since the run's thresholds were found; merge into another "
      "--output, or --fresh to start over",
      path(model), source(model).name));
}

const std::string& TensorReader::path(std::size_t model) const {
  return model == 0 ? context_.inputs.base.path : context_.inputs.experts[model - 1].header.path;
}

}  // namespace koine::pipeline
