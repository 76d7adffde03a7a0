#pragma once

#include <chrono>
#include <optional>

#include <sys/types.h>

#include "core/spawn.hpp"

namespace koine {

/// A running program with all that it starts. What is left of it ends with this object, and with
/// this process, however that ends.
class ProcessGroup {
 public:
  /// @throws std::system_error
  explicit ProcessGroup(const Program& program);
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  /// Waits until the program has ended, `seconds` are over (0: never) or a stop was requested.
  /// @return its exit code (128 + signal where one ended it); nothing where it runs on
  [[nodiscard]] std::optional<int> wait(double seconds);

  /// SIGTERM to all of the group, SIGKILL to who is left after `grace`. @return as wait()
  int end(std::chrono::milliseconds grace);

 private:
  /// Kills the group where this process dies before it can.
  class Watch {
   public:
    explicit Watch(pid_t leader);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    pid_t process_ = 0;  ///< 0: could not be started
    int lifeline_ = -1;  ///< the end of a pipe that the system closes with this process
  };

  [[nodiscard]] bool is_gone();
  [[nodiscard]] bool is_gone_within(std::chrono::milliseconds time);
  void reap();

  pid_t leader_;
  std::optional<int> code_;  ///< of the leader, once it has ended
  bool is_gone_ = false;     ///< the whole group
  Watch watch_;
};

}  // namespace koine
