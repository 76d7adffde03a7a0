#include "comm/agree.hpp"

#include <fmt/format.h>

#include "core/json.hpp"

namespace koine::comm {

std::string first_complaint(Communicator& processes, const std::string& mine) {
  if (processes.size() == 1) return mine;
  const auto all = processes.gather(mine);
  std::string first;
  for (std::size_t rank = 0; rank < all.size() && first.empty(); ++rank) {
    if (!all[rank].empty()) first = fmt::format("rank {}: {}", rank, all[rank]);
  }
  processes.broadcast(first);
  return first;
}

std::vector<std::string> gather_to_all(Communicator& processes, const std::string& mine) {
  std::string text = Json(processes.gather(mine)).dump();
  processes.broadcast(text);
  return Json::parse(text);
}

}  // namespace koine::comm
