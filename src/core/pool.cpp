#include "core/pool.hpp"

#include <new>

#include <sys/mman.h>

namespace koine {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLine = 64;

std::align_val_t alignment_of(std::size_t bytes) noexcept {
  return std::align_val_t{bytes >= kHugePage ? kHugePage : kLine};
}

}  // namespace

std::byte* allocate_pool(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new(bytes, alignment_of(bytes)));
  const std::size_t whole = bytes / kHugePage * kHugePage;
  if (whole > 0) (void)::madvise(memory, whole, MADV_HUGEPAGE);  // advice: works without, slower
  return memory;
}

void free_pool(std::byte* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, alignment_of(bytes));
}

}  // namespace koine
