#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace koine {

/// The candidate nearest to `word` by edit distance, if within 2 (and less than the word's length).
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::span<const std::string> candidates);

/// " (did you mean 'density'?)" or "".
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string> candidates);

[[nodiscard]] std::string human_bytes(std::int64_t bytes);  ///< "3.1 GB" (decimal units)
[[nodiscard]] std::string human_seconds(double seconds);    ///< "0.4 s", "3 min 05 s", "2 h 10 min"
[[nodiscard]] std::string human_count(std::int64_t count);  ///< "1,543,490,560"

/// "a", "a and b", "a, b and c".
[[nodiscard]] std::string list_of(std::span<const std::string> words);

/// "16GiB", "5GB", "512M", "123" -> bytes. kB, MB, GB, TB are decimal, KiB … binary, K, M, G, T
/// binary.
[[nodiscard]] std::optional<std::int64_t> parse_bytes(std::string_view text);

/// As one word of a line for sh: quoted where it must be.
[[nodiscard]] std::string shell_word(const std::string& word);

}  // namespace koine
