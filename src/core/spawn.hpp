#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace koine {

/// A program to start. A descriptor that is not given is /dev/null; it gets no others of ours.
struct Program {
  std::vector<std::string> arguments;    ///< its path first
  std::vector<std::string> environment;  ///< "NAME=value": all that it sees
  std::filesystem::path folder = ".";    ///< its working folder
  int input = -1;
  int output = -1;
  int errors = -1;
};

/// Starts it as the leader of a process group of its own, with no signal blocked or ignored on our
/// account. None of our code runs in the child: safe beside threads and under MPI.
/// @return its process id, to be waited for @throws std::system_error
[[nodiscard]] pid_t spawn(const Program& program);

/// Sets a variable that libraries read in this process, not in its children; leaves the user's.
/// @return whether it is set now and was not before. Before any thread.
bool set_for_this_program(const char* name, const char* value);

/// This process' environment without what it set for itself, and without what mpirun or its like
/// left in it: a child is no process of that job, and may start one of its own.
[[nodiscard]] std::vector<std::string> environment_of_children();

}  // namespace koine
