#include "pipeline/place_of_factors.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "comm/agree.hpp"
#include "core/json.hpp"

namespace koine::pipeline {

PlaceOfFactors::PlaceOfFactors(const Wish& wish, const Plan& plan, comm::Communicator& processes)
    : bytes_(plan.bytes_factors),
      is_needed_(!plan.densities.empty() || !plan.shared.empty()),
      common_(wish.common.arithmetic) {
  if (wish.cache.empty()) return;
  const bool is_shared = !plan.shared.empty();
  const bool computes_alike = wish.own.arithmetic == common_;
  const KeptFactors& cache = open_cache(wish.cache, wish.own.arithmetic, cache_, processes);
  if (!is_shared || (computes_alike && cache.is_common(processes))) return;
  passed_over_ = fmt::format(
      "the cache {} was not used: {}; factors that processes find for each other went into the "
      "run's folder",
      wish.cache.string(),
      computes_alike ? "not all processes see it and may write there"
                     : "the processes run on machines of several kinds");
  cache_.reset();
}

const KeptFactors* PlaceOfFactors::open(const RunFolder& run, comm::Communicator& processes) {
  if (cache_) return &*cache_;
  if (!is_needed_) return nullptr;
  return &open_own_factors(run.path, common_, own_, processes);
}

void PlaceOfFactors::settle(const RunFolder& run, std::vector<std::string>& notes) const {
  KeptFactors::remove_from(run.path);
  if (cache_) cache_->settle(notes);
  if (!passed_over_.empty()) notes.push_back(passed_over_);
}

Identity identity_of_all(const Identity& own, comm::Communicator& processes) {
  const std::vector<std::string> all = comm::gather_to_all(processes, own.arithmetic);
  if (std::ranges::all_of(all, [&](const std::string& its) { return its == all.front(); }))
    return own;
  Json each = Json::array();
  for (const std::string& its : all) each.push_back(Json::parse(its));
  return {own.recipe, own.inputs, Json{{"processes", each}}.dump()};
}

}  // namespace koine::pipeline
