#include "pipeline/swept_sum.hpp"

#include <algorithm>

namespace koine::pipeline {
namespace {

bool has_same_parts(const SweptSum& a, const SweptSum& b) {
  const bool by_density = a.treatment() == Treatment::pruned && a.merge->method->keeps_largest();
  for (std::size_t t = 0; t < a.planned->parts.size(); ++t) {
    const TensorPart &mine = a.planned->parts[t], &its = b.planned->parts[t];
    if (mine.weight != its.weight) return false;
    if (by_density && mine.prune.density != its.prune.density) return false;
  }
  return true;
}

bool is_same(const SweptSum& a, const SweptSum& b) {
  if (a.treatment() != b.treatment() || a.planned->divisor != b.planned->divisor) return false;
  if (a.treatment() == Treatment::pruned &&
      (a.merge->budget != b.merge->budget || !a.has_same_low_part(b)))
    return false;
  return has_same_parts(a, b);
}

}  // namespace

bool has_same_ranks(const PlannedTensor& a, const PlannedTensor& b) {
  for (std::size_t t = 0; t < a.parts.size(); ++t) {
    const auto &mine = a.parts[t].prune, &its = b.parts[t].prune;
    if (mine.rank != its.rank || mine.svd != its.svd) return false;
  }
  return true;
}

bool SweptSum::has_same_low_part(const SweptSum& other) const {
  return merge->method->name() == other.merge->method->name() &&
         has_same_ranks(*planned, *other.planned);
}

std::vector<SweptSum> distinct_sums(std::size_t tensor, std::span<const SweptMerge> merges) {
  std::vector<SweptSum> sums;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    SweptSum sum{&merges[i].plan->tensors[tensor], &merges[i], {i}, {}};
    const auto same =
        std::ranges::find_if(sums, [&](const SweptSum& s) { return is_same(s, sum); });
    if (same != sums.end()) {
      same->merges.push_back(i);
      continue;
    }
    sum.row.experts.resize(sum.planned->parts.size());
    if (sum.treatment() == Treatment::copied || sum.treatment() == Treatment::base) {
      for (auto& expert : sum.row.experts) expert.method = "base";
    }
    sums.push_back(std::move(sum));
  }
  return sums;
}

}  // namespace koine::pipeline
