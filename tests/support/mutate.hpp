#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>

namespace koine::test {

/// Changes, drops, repeats or moves a few bytes; half of them by bytes that mean something to YAML.
inline std::string mutate(std::string text, std::mt19937& random) {
  const std::string sharp = "{}[]:,&*!|>'\"%@`#-? \n\t/().0179e<~\\";
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t left = 1 + below(4); left > 0 && !text.empty(); --left) {
    const std::size_t at = below(text.size()), length = std::min(1 + below(12), text.size() - at);
    switch (below(5)) {
      case 0:
        text[at] = sharp[below(sharp.size())];
        break;
      case 1:
        text[at] = static_cast<char>(below(256));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      default:
        text.insert(at, 1, sharp[below(sharp.size())]);
        break;
    }
  }
  return text;
}

}  // namespace koine::test
