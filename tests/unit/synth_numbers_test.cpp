#include "pipeline/synth_numbers.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "checkpoint/whisper.hpp"
#include "core/hash.hpp"

namespace koine::pipeline {
namespace {

std::vector<float> values(const std::string& name, const Shape& shape, std::uint64_t expert,
                          std::uint64_t seed = 1) {
  std::vector<float> out(static_cast<std::size_t>(numel(shape)));
  SynthTensor(seed, name, shape, expert).fill(0, out);
  return out;
}

TEST(SynthTensor, AnyRangeHasTheSameBits) {
  const Shape shape{37, 301};
  const auto whole = values("decoder.blocks.1.mlp.0.weight", shape, 2);
  const SynthTensor tensor(1, "decoder.blocks.1.mlp.0.weight", shape, 2);
  for (const std::size_t first : {0, 1, 300, 301, 5000}) {
    std::vector<float> part(777);
    tensor.fill(static_cast<std::int64_t>(first), part);
    EXPECT_TRUE(
        std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)))
        << first;
  }
}

TEST(SynthTensor, NumbersAreThoseOfEveryMachine) {
  // SHA-256 of the float32 bytes, made once; another compiler, CPU or libm must give them too.
  const auto hash = [](const std::string& name, const Shape& shape, std::uint64_t expert) {
    const auto v = values(name, shape, expert);
    return sha256_of({reinterpret_cast<const char*>(v.data()), v.size() * sizeof(float)})
        .substr(0, 16);
  };
  EXPECT_EQ(hash("encoder.blocks.0.attn.query.weight", {64, 96}, 0), "6220877cfddf4250");
  EXPECT_EQ(hash("encoder.blocks.0.attn.query.weight", {64, 96}, 3), "7554ac969f640bde");
  EXPECT_EQ(hash("encoder.positional_embedding", {1500, 384}, 0), "6a7da9c8ed68669d");
}

TEST(SynthTensor, DeltaHasTheSizeAndSpectrumItSays) {
  const Shape shape{256, 320};
  const auto base = values("encoder.blocks.0.mlp.2.weight", shape, 0);
  const auto expert = values("encoder.blocks.0.mlp.2.weight", shape, 1);
  double squares = 0, base_squares = 0;
  std::size_t large = 0;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const double delta = static_cast<double>(expert[i]) - static_cast<double>(base[i]);
    squares += delta * delta;
    base_squares += static_cast<double>(base[i]) * static_cast<double>(base[i]);
    if (std::abs(delta) > 4e-3) ++large;
  }
  const auto count = static_cast<double>(base.size());
  // Variances add: 1 (low rank) + 0.02 * 9 (sparse) + 0.15^2 (noise) = 1.2 in units of 1e-3
  // squared; the low-rank part follows its 32 * (256 + 320) random numbers and one direction holds
  // 62 % of it: 20 % is three of its deviations.
  EXPECT_NEAR(std::sqrt(squares / count), 1e-3 * std::sqrt(1.2), 2e-4);
  EXPECT_NEAR(std::sqrt(base_squares / count), 0.05, 0.05 * 4 / std::sqrt(2 * count));
  EXPECT_GT(large, base.size() / 1000);
}

TEST(SynthTensor, KeysDifferByNameSeedAndExpert) {
  const Shape shape{8, 8};
  EXPECT_NE(values("a.weight", shape, 0), values("b.weight", shape, 0));
  EXPECT_NE(values("a.weight", shape, 0, 1), values("a.weight", shape, 0, 2));
  EXPECT_NE(values("a.weight", shape, 1), values("a.weight", shape, 2));
}

TEST(SynthTensor, PositionsAreSinusoidsAndNeverChange) {
  const Shape shape{1500, 384};
  const auto base = values("encoder.positional_embedding", shape, 0);
  EXPECT_EQ(base, values("encoder.positional_embedding", shape, 3));
  for (const std::int64_t at : {0, 191, 192, 383, 384 * 700 + 3, 384 * 1499, 384 * 1499 + 383}) {
    const double speed = std::exp(-std::log(10000.0) / 191 * static_cast<double>(at % 384 % 192));
    const double angle = static_cast<double>(at / 384) * speed;
    const double exact = at % 384 < 192 ? std::sin(angle) : std::cos(angle);
    EXPECT_NEAR(base[static_cast<std::size_t>(at)], exact, 6e-8)
        << at;  // half an ulp of 1 in float32
  }
}

TEST(Synth, HasThePublishedTensorCounts) {
  const std::vector<std::pair<std::string, std::size_t>> counts{
      {"tiny", 167},   {"base", 245},      {"small", 479},
      {"medium", 947}, {"large-v3", 1259}, {"large-v3-turbo", 587}};
  for (const auto& [model, count] : counts) {
    EXPECT_EQ(checkpoint::whisper_tensors(checkpoint::dims_of_size(model).value()).size(), count)
        << model;
  }
}

}  // namespace
}  // namespace koine::pipeline
