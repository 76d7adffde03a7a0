#pragma once

#include <functional>

#include "session.hpp"

namespace koine::jobs {

/// For commands that one process does best: under mpirun or srun the root does the work, the others
/// wait for its exit code. Alone no MPI is started.
inline ExitCode on_root(Session& session, const std::function<ExitCode()>& work) {
  if (!comm::started_by_launcher()) return work();
  comm::Communicator& processes = session.open(comm::Transport::automatic);
  std::string code;
  if (processes.is_root()) code = std::to_string(static_cast<int>(work()));
  processes.barrier();
  processes.broadcast(code);
  return static_cast<ExitCode>(std::stoi(code));
}

}  // namespace koine::jobs
