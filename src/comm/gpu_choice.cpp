#include "comm/gpu_choice.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/json.hpp"
#include "core/text.hpp"

namespace koine::comm {
namespace {

bool is_same(const std::string& host_a, const Gpu& a, const std::string& host_b, const Gpu& b) {
  return a.uuid == b.uuid || (host_a == host_b && a.pci == b.pci);
}

/// "rank 2 on host n3 has no GPU for NCCL: no device is visible".
std::string first_problem(std::span<const VisibleGpus> by_rank) {
  for (std::size_t r = 0; r < by_rank.size(); ++r) {
    if (by_rank[r].problem.empty()) continue;
    return fmt::format("rank {} on host {} has no GPU for NCCL: {}", r, by_rank[r].host,
                       by_rank[r].problem);
  }
  return {};
}

/// "ranks 0 and 2 share GPU-… (NVIDIA H100, 0000:1b:00.0) on host n1".
std::string first_shared(std::span<const VisibleGpus> by_rank, const std::vector<int>& devices) {
  const auto gpu_of = [&](std::size_t r) -> const Gpu& {
    return by_rank[r].gpus[static_cast<std::size_t>(devices[r])];
  };
  for (std::size_t first = 0; first < by_rank.size(); ++first) {
    const Gpu& gpu = gpu_of(first);
    std::vector<std::string> sharers{std::to_string(first)};
    for (std::size_t r = first + 1; r < by_rank.size(); ++r) {
      if (is_same(by_rank[first].host, gpu, by_rank[r].host, gpu_of(r)))
        sharers.push_back(std::to_string(r));
    }
    if (sharers.size() == 1) continue;
    return fmt::format("ranks {} share {} ({}, {}) on host {}", list_of(sharers), gpu.uuid,
                       gpu.name, gpu.pci, by_rank[first].host);
  }
  return {};
}

}  // namespace

GpuChoice choose_gpus(std::span<const VisibleGpus> by_rank) {
  if (std::string problem = first_problem(by_rank); !problem.empty()) return {{}, problem};
  GpuChoice choice;
  std::map<std::string, std::size_t> here;  // processes so far, by machine
  for (const VisibleGpus& seen : by_rank) {
    choice.devices.push_back(static_cast<int>(here[seen.host]++ % seen.gpus.size()));
  }
  choice.why_not = first_shared(by_rank, choice.devices);
  if (!choice.why_not.empty()) choice.devices.clear();
  return choice;
}

std::string to_text(const VisibleGpus& seen) {
  Json gpus = Json::array();
  for (const Gpu& gpu : seen.gpus) gpus.push_back({gpu.name, gpu.uuid, gpu.pci});
  return Json{{"host", seen.host}, {"gpus", gpus}, {"problem", seen.problem}}.dump();
}

VisibleGpus visible_gpus(const std::string& text) {
  const Json json = Json::parse(text);
  VisibleGpus seen{json.at("host"), {}, json.at("problem")};
  for (const Json& gpu : json.at("gpus")) seen.gpus.push_back({gpu.at(0), gpu.at(1), gpu.at(2)});
  return seen;
}

}  // namespace koine::comm
