#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"

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

/// Reads `count` mutations of these texts in turn: each is read, or refused by a message that names
/// the file.
template <typename Read>
void expect_read_or_refused(const std::vector<const char*>& texts, int count,
                            const std::string& file, unsigned seed, Read read) {
  std::mt19937 random(seed);
  int good = 0, bad = 0;
  for (int i = 0; i < count; ++i) {
    const std::string text = mutate(texts[static_cast<std::size_t>(i) % texts.size()], random);
    try {
      read(text);
      ++good;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(file), std::string::npos) << error.what();
      ++bad;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what() << "\n" << text;
    }
  }
  EXPECT_GT(good, 100) << "mutations are too wild to test anything but the parser";
  EXPECT_GT(bad, 100);
}

}  // namespace koine::test
