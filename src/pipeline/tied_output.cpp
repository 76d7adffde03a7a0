#include "pipeline/tied_output.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "checkpoint/names.hpp"
#include "core/error.hpp"

namespace koine::pipeline {
namespace {

using checkpoint::TensorInfo;

constexpr std::int64_t kPiece = std::int64_t{1} << 20;

void compare(const checkpoint::Source& source, const std::string& path, const TensorInfo& embedding,
             const TensorInfo& output) {
  const auto differs = [&](std::int64_t at) {
    return InputError(fmt::format(
        "{}: tensor '{}' differs from the token embedding that Whisper ties it to (flat index {}), "
        "but the base stores no output matrix of its own; merge experts with tied outputs",
        path, output.name, at));
  };
  if (embedding.shape != output.shape || embedding.dtype != output.dtype) throw differs(0);
  std::vector<std::byte> a, b;
  const std::int64_t width = size_of(embedding.dtype);
  for (std::int64_t first = 0; first < embedding.count(); first += kPiece) {
    const std::int64_t count = std::min(kPiece, embedding.count() - first);
    a.resize(static_cast<std::size_t>(count * width));
    b.resize(a.size());
    source.read(embedding, first, count, a);
    source.read(output, first, count, b);
    const auto at = std::ranges::mismatch(a, b).in1;
    if (at != a.end()) throw differs(first + (at - a.begin()) / width);
  }
}

}  // namespace

void check_tied_outputs(const MergeContext& context) {
  if (context.inputs.base.find(checkpoint::kTiedOutput) != nullptr) return;
  for (std::size_t t = 0; t < context.inputs.experts.size(); ++t) {
    const auto& header = context.inputs.experts[t].header;
    const auto& tied = context.inputs.experts[t].tied;
    if (tied.empty()) continue;
    compare(context.sources[t + 1], header.path, tied[1], tied[0]);
  }
}

}  // namespace koine::pipeline
