#pragma once

#include <sys/types.h>

namespace koine {

/// True where a process of this group lives: one that has ended and waits for its parent to notice
/// does not. Where the system shows no processes (/proc), any that has a number counts.
[[nodiscard]] bool is_group_alive(pid_t group);

}  // namespace koine
