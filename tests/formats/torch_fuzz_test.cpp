#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "formats/golden/golden_torch.hpp"
#include "support/header_file.hpp"
#include "support/temporary_folder.hpp"

namespace koine::checkpoint {
namespace {

const std::string kGoldenText(reinterpret_cast<const char*>(kGoldenTorch.data()),
                              kGoldenTorch.size());

/// Every place that an accepted file claims lies inside it.
void expect_inside(const Checkpoint& checkpoint) {
  for (const TensorInfo& tensor : checkpoint.tensors) {
    std::int64_t last = tensor.strides.empty() ? tensor.count() - 1 : 0;
    for (std::size_t i = 0; i < tensor.strides.size(); ++i) {
      last += (tensor.shape[i] - 1) * tensor.strides[i];
    }
    ASSERT_GE(tensor.offset, 0);
    ASSERT_LE(tensor.offset + (last + 1) * size_of(tensor.dtype), checkpoint.files[0].size);
  }
}

/// True where the file is accepted; anything but acceptance and InputError fails the test.
bool survives(const std::filesystem::path& path) {
  try {
    expect_inside(open_torch(path));
    return true;
  } catch (const InputError&) {
    return false;
  }
}

TEST(TorchFuzz, EveryMutationIsAcceptedOrRefused) {
  constexpr int kMutations = 20'000;
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "x.pt", kGoldenText);
  const File file = File::open_update(folder / "x.pt");
  std::mt19937 random(20260801);
  int accepted = 0;
  for (int i = 0; i < kMutations; ++i) {
    std::string bytes = kGoldenText;
    const unsigned changes = 1 + random() % 3;
    for (unsigned c = 0; c < changes; ++c)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    file.write_at(std::as_bytes(std::span(bytes)), 0);
    accepted += survives(folder / "x.pt") ? 1 : 0;
  }
  // Payload and padding may change; headers may not.
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kMutations);
}

TEST(TorchFuzz, EveryTruncationIsRefused) {
  const test::TemporaryFolder folder;
  for (std::size_t size = kGoldenText.size(); size-- > 0;) {
    if (size + 1 == kGoldenText.size()) test::write_bytes(folder / "x.pt", kGoldenText);
    std::filesystem::resize_file(folder / "x.pt", size);
    ASSERT_FALSE(survives(folder / "x.pt")) << size;
  }
}

}  // namespace
}  // namespace koine::checkpoint
