#pragma once

#include <stdexcept>
#include <string>

namespace koine {

/// What a command ends with (contract: docs/reference/commands.md).
enum class ExitCode : int {
  done = 0,
  our_fault = 1,
  input = 2,
  device = 3,
  communication = 4,
  difference = 5,
  storage = 6,
  interrupted = 75,
};

/// Base of everything we throw on purpose. what(): one line that says where, what was expected,
/// what was found and what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// The user's file, recipe or command line.
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(ExitCode::input, message) {}
};

/// A GPU or its libraries.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(ExitCode::device, message) {}
};

/// MPI or NCCL.
class CommError : public Error {
 public:
  explicit CommError(const std::string& message) : Error(ExitCode::communication, message) {}
};

/// Something written does not hold what it should.
class VerifyError : public Error {
 public:
  explicit VerifyError(const std::string& message) : Error(ExitCode::difference, message) {}
};

/// Disk full, quota, I/O: free the cause, run the same command again.
class StorageError : public Error {
 public:
  explicit StorageError(const std::string& message) : Error(ExitCode::storage, message) {}
};

/// Stopped early by a signal; the same command goes on where it stopped.
class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& message) : Error(ExitCode::interrupted, message) {}
};

}  // namespace koine
