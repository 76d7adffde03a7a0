#include "core/hash.hpp"
#include "core/stop.hpp"
#include "pipeline/blocks.hpp"
#include "pipeline/merge_tensor.hpp"

namespace koine::pipeline {

using checkpoint::TensorInfo;

void will_merge(const PlannedTensor& planned, const MergeContext& context) noexcept {
  const TensorInfo& tensor = context.inputs.base.tensors[planned.index];
  const bool is_whole = planned.treatment == Treatment::pruned;
  const std::int64_t count = is_whole ? tensor.count() : std::min(kBlock, tensor.count());
  context.sources[0].will_read(tensor, 0, count);
  if (planned.treatment == Treatment::base) return;
  context.sources[1].will_read(context.inputs.tensor_of(0, planned.index), 0, count);
}

std::vector<std::string> fingerprints_of(const PlannedTensor& planned, const MergeContext& context,
                                         Scratch& scratch) {
  const TensorInfo& tensor = context.inputs.base.tensors[planned.index];
  std::vector<std::string> prints;
  for (std::size_t model = 0; model < context.sources.size(); ++model) {
    if (model > 0 && planned.treatment == Treatment::base) {
      prints.push_back(Fingerprint().hex());
      continue;
    }
    const TensorInfo source =
        model == 0 ? tensor : context.inputs.tensor_of(model - 1, planned.index);
    Fingerprint hash;
    for_blocks(source.count(), [&](std::int64_t first, std::int64_t count) {
      throw_if_stopped();
      const auto bytes = scratch.raw_base.take(count * size_of(source.dtype));
      context.sources[model].read(source, first, count, bytes);
      hash.update(bytes);
    });
    prints.push_back(hash.hex());
  }
  return prints;
}

}  // namespace koine::pipeline
