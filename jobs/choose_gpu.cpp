#include "choose_gpu.hpp"

#include <algorithm>

#include "comm/agree.hpp"
#include "core/error.hpp"

namespace koine::jobs {

backend::Choice choose_together(const std::string& wish, comm::Communicator& processes) {
  if (wish == "cpu") return {};
  const auto machines = comm::gather_to_all(processes, comm::machine_name());
  const auto me = machines.begin() + processes.rank().value;
  backend::Choice mine =
      backend::choose_gpu(static_cast<int>(std::count(machines.begin(), me, *me)));
  const std::string complaint = comm::first_complaint(processes, mine.why_cpu);
  if (!complaint.empty() && wish == "cuda") throw DeviceError(complaint);
  if (!complaint.empty() || !mine.gpu) return {std::nullopt, complaint};
  const std::string identity = mine.gpu->device.identity;
  mine.gpu->processes =
      static_cast<int>(std::ranges::count(comm::gather_to_all(processes, identity), identity));
  return mine;
}

}  // namespace koine::jobs
