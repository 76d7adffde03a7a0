#include "core/stop.hpp"

#include <atomic>

#include "core/error.hpp"

namespace koine {
namespace {
std::atomic<bool> g_stop{false};
}  // namespace

void request_stop() noexcept {
  g_stop = true;
}
bool stop_requested() noexcept {
  return g_stop;
}
void throw_if_stopped() {
  if (g_stop) throw Interrupted("stopped early; run the same command again to go on");
}

}  // namespace koine
