// Lists what a checkpoint holds, with the installed library alone.
#include <cstdio>

#include <checkpoint/checkpoint.hpp>
#include <core/error.hpp>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const koine::checkpoint::Checkpoint checkpoint = koine::checkpoint::open(argv[1]);
    std::printf("%zu tensors, %lld parameters\n", checkpoint.tensors.size(),
                static_cast<long long>(checkpoint.parameters()));
  } catch (const koine::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
