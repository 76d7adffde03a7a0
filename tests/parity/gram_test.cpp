#include <chrono>
#include <cstdio>

#include "device_lane.hpp"

namespace koine {
namespace {

using backend::cuda::Gram;

class DeviceGram : public test::DeviceCase<testing::Test> {
 protected:
  /// Of 2 m^2 n flops a slot, the best of a few.
  double gflops(Gram gram, std::int64_t rows, std::int64_t cols) {
    double best = 0;
    for (int i = 0; i < 5; ++i) {
      lane().clear(0);  // G is of other task vectors
      (void)lane().facts();
      const auto begun = std::chrono::steady_clock::now();
      lane().make_gram(gram);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
      const auto flops = 2.0 * static_cast<double>(test::kSlots * rows * rows * cols);
      best = std::max(best, 1e-9 * flops / took.count());
    }
    return best;
  }
};

// gpu_check.sh notes this line: people judge by it whether this kind of device sums G as it should.
TEST_F(DeviceGram, Rates) {
  constexpr std::int64_t kRows = 1280, kCols = 5120;
  if (is_emulated()) GTEST_SKIP() << "what an emulated device does in a second says nothing";
  load(kRows, kCols, {std::vector<float>(kRows * kCols, 1.0F)});
  const bool is_float64 = lane().gram() == Gram::float64;
  const double float64 = gflops(Gram::float64, kRows, kCols);
  const double float32 = gflops(Gram::float32, kRows, kCols);
  std::printf("gram rates: float64_gflops_per_s=%.0f float32_gflops_per_s=%.0f chosen=%s\n",
              float64, float32, is_float64 ? "float64" : "float32");
  EXPECT_GT(std::min(float64, float32), 0);
}

}  // namespace
}  // namespace koine
