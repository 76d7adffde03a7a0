#include "core/handoff.hpp"

#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace koine {
namespace {

std::vector<int> take_all(Handoff<int>& handoff) {
  std::vector<int> taken;
  for (int value = 0; handoff.take(value);) taken.push_back(value);
  return taken;
}

TEST(Handoff, HandsOverInOrder) {
  Handoff<int> handoff;
  std::vector<int> sent(1000);
  std::iota(sent.begin(), sent.end(), 0);
  std::jthread sender([&] {
    for (const int value : sent) handoff.put(value);
    handoff.close();
  });
  EXPECT_EQ(take_all(handoff), sent);
}

TEST(Handoff, WhatWasPutBeforeItClosedIsTaken) {
  Handoff<int> handoff;
  handoff.put(1);
  handoff.put(2);
  handoff.close();
  EXPECT_EQ(take_all(handoff), (std::vector{1, 2}));
  EXPECT_TRUE(take_all(handoff).empty());
}

TEST(Handoff, AFailureIsThrownToWhoWaits) {
  Handoff<int> handoff;
  handoff.put(1);
  std::jthread sender([&] {
    handoff.close(std::make_exception_ptr(std::runtime_error("the first")));
    handoff.close(std::make_exception_ptr(std::logic_error("the second")));
  });
  sender.join();
  int value = 0;
  EXPECT_THROW((void)handoff.take(value), std::runtime_error);
}

// Two rings of three buffers between two threads: nobody waits for ever, none is lost.
TEST(Handoff, BuffersGoRound) {
  Handoff<int> free, filled;
  for (int buffer = 0; buffer < 3; ++buffer) free.put(buffer);
  std::vector<int> of(3, -1);
  std::jthread filler([&] {
    int buffer = 0;
    for (int i = 0; i < 500 && free.take(buffer); ++i) {
      of[static_cast<std::size_t>(buffer)] = i;
      filled.put(buffer);
    }
    filled.close();
  });
  int buffer = 0, next = 0;
  while (filled.take(buffer)) {
    EXPECT_EQ(of[static_cast<std::size_t>(buffer)], next++);
    free.put(buffer);
  }
  EXPECT_EQ(next, 500);
}

}  // namespace
}  // namespace koine
