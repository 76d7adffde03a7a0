#pragma once

/// Which instruction sets the files named *_avx2.cpp, *_avx512.cpp and *_avx512vnni.cpp may use
/// here: what cmake/KoineTargets.cmake builds them with. False on other processors.
namespace koine {

[[nodiscard]] bool cpu_has_avx2() noexcept;
[[nodiscard]] bool cpu_has_avx512() noexcept;
[[nodiscard]] bool cpu_has_avx512vnni() noexcept;

}  // namespace koine
