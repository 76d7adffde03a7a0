#include "pipeline/sweep_part.hpp"

#include <map>
#include <set>

namespace koine::pipeline {

std::vector<std::size_t> points_of_part(const std::vector<SweepGroup>& groups,
                                        const SweepPart& part) {
  std::map<std::size_t, std::string> ids;  // in the order of the file
  for (const SweepGroup& group : groups) {
    for (const PlannedPoint& point : group.points) ids[point.at] = point.id;
  }
  std::set<std::string> distinct;
  std::vector<std::size_t> mine;
  for (const auto& [at, id] : ids) {
    if (!distinct.insert(id).second) continue;
    const auto dealt_to = 1 + (distinct.size() - 1) % static_cast<std::size_t>(part.of);
    if (dealt_to == static_cast<std::size_t>(part.number)) mine.push_back(at);
  }
  return mine;
}

}  // namespace koine::pipeline
