#include "lowrank/start_block.hpp"

namespace koine::lowrank {
namespace {

constexpr std::uint64_t kEngineVersion = 1;
constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;

std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

}  // namespace

void fill_start_block(std::span<double> block) {
  std::uint64_t counter = mix(kEngineVersion);
  for (double& x : block) {
    counter += kStep;
    x = static_cast<double>(static_cast<std::int64_t>(mix(counter)) >> 11) * 0x1p-52;
  }
}

}  // namespace koine::lowrank
