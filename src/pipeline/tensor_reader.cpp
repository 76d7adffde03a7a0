#include "pipeline/tensor_reader.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "backend/elementwise.hpp"
#include "core/error.hpp"
#include "core/stop.hpp"
#include "pipeline/blocks.hpp"

namespace koine::pipeline {

TensorReader::TensorReader(const PlannedTensor& planned, const MergeContext& context,
                           Scratch& scratch)
    : context_(context),
      scratch_(scratch),
      base_(context.inputs.base.tensors[planned.index]),
      hashes_(context.inputs.experts.size() + 1) {
  for (const Expert& expert : context.inputs.experts)
    experts_.push_back(counterpart(expert.header, base_));
}

std::span<const std::byte> TensorReader::read(std::size_t model, std::int64_t first,
                                              std::int64_t count, std::vector<std::byte>& buffer) {
  throw_if_stopped();
  const StageTimer timer(context_.progress, Stage::read);
  const auto bytes = grow(buffer, count * size_of(source(model).dtype));
  context_.sources[model].read(source(model), first, count, bytes);
  hashes_[model].update(bytes);
  context_.progress.bytes += static_cast<std::int64_t>(bytes.size());
  return bytes;
}

std::span<const std::byte> TensorReader::read_base(std::int64_t first, std::int64_t count) {
  const auto raw = read(0, first, count, scratch_.raw_base);
  const auto base = grow(scratch_.base, count);
  backend::widen({base_.dtype, raw}, base);
  require_finite(base, first, 0);
  return raw;
}

bool TensorReader::read_task_vector(std::size_t t, std::span<float> tau) {
  const auto count = static_cast<std::int64_t>(tau.size());
  const auto raw = read(t + 1, 0, count, scratch_.raw_expert);
  const StageTimer timer(context_.progress, Stage::task_vector);
  backend::task_vector({experts_[t]->dtype, raw},
                       slice(std::span<const float>(scratch_.base), 0, count), tau);
  return require_finite(tau, 0, t + 1);
}

bool TensorReader::require_finite(std::span<const float> values, std::int64_t first,
                                  std::size_t model) {
  const auto bad = backend::first_nonfinite(values);
  if (!bad) return true;
  if (!context_.allow_nonfinite) {
    throw InputError(fmt::format(
        "{}: tensor '{}' has a value that is not finite at flat index {}; repair the checkpoint "
        "or pass --allow-nonfinite",
        path(model), source(model).name, first + *bad));
  }
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
