#pragma once

/// What stands for a stream: the work that was put on it last, and how to get on with it.
struct FakeStream {
  void* work = nullptr;                   ///< null: done
  bool (*advance)(void* work) = nullptr;  ///< whether it is done now
};

#define FAKE_API extern "C" __attribute__((visibility("default")))
