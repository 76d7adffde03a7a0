#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "pipeline/plan.hpp"

namespace koine::pipeline {

/// Gives equal parts of neighbouring tensors one place in memory.
class PartsStore {
 public:
  Parts shared(std::vector<TensorPart> parts) {
    for (const Parts& earlier : last_) {
      bool is_equal = earlier.size() == parts.size();
      for (std::size_t t = 0; is_equal && t < parts.size(); ++t)
        is_equal = is_same(earlier[t], parts[t]);
      if (is_equal) return earlier;
    }
    if (last_.size() == kRemembered) last_.erase(last_.begin());
    last_.emplace_back(std::move(parts));
    return last_.back();
  }

 private:
  static bool is_same(const TensorPart& a, const TensorPart& b) {
    return a.weight == b.weight && a.prune.density == b.prune.density &&
           a.prune.rank == b.prune.rank;  // svd is one for all
  }
  static constexpr std::size_t kRemembered = 16;
  std::vector<Parts> last_;
};

}  // namespace koine::pipeline
