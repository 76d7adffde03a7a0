#include "cluster/templates.hpp"

namespace koine::cluster {

extern const char* const kJobTemplate;
extern const char* const kDefaultCluster;
extern const char* const kGpuCluster;

const char* job_template() {
  return kJobTemplate;
}

std::vector<std::pair<std::string, std::string>> own_clusters() {
  return {{"default", kDefaultCluster}, {"gpu", kGpuCluster}};
}

}  // namespace koine::cluster
