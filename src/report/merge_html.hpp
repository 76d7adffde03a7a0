#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "stats/rows.hpp"

namespace koine::report {

/// One self-contained page (no network, no script) beside report.json: what each expert brought,
/// layer by layer. Keeps sums alone, not the rows.
class MergePage {
 public:
  explicit MergePage(std::vector<std::string> expert_names) : names_(std::move(expert_names)) {}

  /// A pruned matrix' figures. Sums and the order of layers follow the order of calls.
  /// @pre row has an expert for each name
  void add(const std::string& shard, const stats::TensorRow& row);

  [[nodiscard]] std::string html(const std::string& method, std::size_t tensors,
                                 const stats::Totals& totals) const;

 private:
  /// Sums over pruned matrices.
  struct Kept {
    double tau = 0, low = 0, merged = 0;
  };
  [[nodiscard]] std::string expert_table(const stats::Totals& totals) const;
  [[nodiscard]] std::string shard_table() const;

  std::vector<std::string> names_;
  std::vector<std::string> order_;      ///< of shards
  std::map<std::string, Kept> shards_;  ///< by name
  std::map<std::string, Kept> experts_;
};

}  // namespace koine::report
