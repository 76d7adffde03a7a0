#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <cuda_runtime.h>
#include <ucontext.h>

// A block's threads as fibers of one thread: each runs until it waits for the others or ends.
namespace emulated {
namespace {

constexpr std::size_t kStack = std::size_t{64} << 10;

struct Fiber {
  ucontext_t begin{};
  std::jmp_buf place{};
  std::unique_ptr<char[]> stack{new char[kStack]};
  bool has_begun = false, is_done = false;
};

struct Threads {
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::jmp_buf home{};
  const std::function<void()>* body = nullptr;
  Fiber* current = nullptr;  ///< null: the body runs outside of a fiber, and must not wait
};
thread_local Threads threads;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "emulated kernel: %s\n", why);
  std::abort();
}

__attribute__((noinline)) void go_home() {
  if (_setjmp(threads.current->place) == 0) std::longjmp(threads.home, 1);
}

/// A fiber's life: one body after the other.
void live() {
  for (;;) {
    (*threads.body)();
    threads.current->is_done = true;
    go_home();
  }
}

/// Comes back when the fiber waits or ends.
__attribute__((noinline)) void resume(unsigned index) {
  Fiber& fiber = *threads.fibers[index];
  threads.current = &fiber;
  threadIdx = {index, 0, 0};
  if (_setjmp(threads.home) != 0) return;
  if (fiber.has_begun) std::longjmp(fiber.place, 1);
  fiber.has_begun = true;
  getcontext(&fiber.begin);
  fiber.begin.uc_stack.ss_sp = fiber.stack.get();
  fiber.begin.uc_stack.ss_size = kStack;
  makecontext(&fiber.begin, live, 0);
  setcontext(&fiber.begin);
}

/// All threads to their next barrier, or to their end; whether they have ended.
bool round_of(unsigned first, unsigned count) {
  for (unsigned t = first; t < count; ++t) resume(t);
  unsigned done = 0;
  for (unsigned t = 0; t < count; ++t) done += threads.fibers[t]->is_done ? 1 : 0;
  if (done != 0 && done != count) give_up("some threads wait where others have ended");
  return done != 0;
}

void run_block(unsigned count) {
  while (threads.fibers.size() < count) threads.fibers.push_back(std::make_unique<Fiber>());
  for (unsigned t = 0; t < count; ++t) threads.fibers[t]->is_done = false;
  resume(0);
  if (threads.fibers[0]->is_done) {  // no barrier: plain calls will do
    threads.current = nullptr;
    for (unsigned t = 1; t < count; ++t) {
      threadIdx = {t, 0, 0};
      (*threads.body)();
    }
    return;
  }
  bool is_over = round_of(1, count);
  while (!is_over) is_over = round_of(0, count);
}

}  // namespace

void run(const Launch& launch, const std::function<void()>& body) {
  threads.body = &body;
  gridDim = {launch.blocks, launch.slots, 1};
  blockDim = {launch.threads, 1, 1};
  for (unsigned slot = 0; slot < launch.slots; ++slot) {
    for (unsigned block = 0; block < launch.blocks; ++block) {
      blockIdx = {block, slot, 0};
      run_block(launch.threads);
    }
  }
}

void wait_for_block() {
  if (threads.current == nullptr) give_up("a thread waits where the first one did not");
  go_home();
}

}  // namespace emulated
