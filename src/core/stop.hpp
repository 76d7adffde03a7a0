#pragma once

namespace koine {

/// Set by the program's signal handlers; the library only asks.
void request_stop() noexcept;
[[nodiscard]] bool stop_requested() noexcept;
/// @throws Interrupted if a stop was requested
void throw_if_stopped();

}  // namespace koine
