#include "pipeline/diff.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "checkpoint/write_safetensors.hpp"
#include "core/rules.hpp"
#include "support/temporary_folder.hpp"

namespace koine::pipeline {
namespace {

using checkpoint::Checkpoint;

struct Tensor {
  std::string name;
  DType dtype;
  Shape shape;
  std::vector<float> values;
};

Checkpoint written(const std::filesystem::path& path, const std::vector<Tensor>& tensors) {
  std::vector<checkpoint::OutTensor> outs;
  for (const Tensor& t : tensors) outs.push_back({t.name, t.dtype, t.shape});
  checkpoint::write_safetensors(path, outs, {},
                                [&](std::size_t index, std::int64_t, std::span<std::byte> out) {
                                  const Tensor& t = tensors[index];
                                  for (std::size_t i = 0; i < t.values.size(); ++i) {
                                    const std::uint16_t half = rules::round_f16(t.values[i]);
                                    if (t.dtype == DType::f32)
                                      std::memcpy(out.data() + 4 * i, &t.values[i], 4);
                                    else
                                      std::memcpy(out.data() + 2 * i, &half, 2);
                                  }
                                });
  Checkpoint checkpoint = checkpoint::open_safetensors(path);
  checkpoint::finish_header(checkpoint);
  return checkpoint;
}

class Diff : public testing::Test {
 protected:
  Checkpoint a(const std::vector<Tensor>& tensors) {
    return written(folder_ / "a.safetensors", tensors);
  }
  Checkpoint b(const std::vector<Tensor>& tensors) {
    return written(folder_ / "b.safetensors", tensors);
  }
  test::TemporaryFolder folder_;
};

const std::vector<float> kValues{1, 2, 3, 4, 5, 6};

TEST_F(Diff, SeesThroughNamingAndDtype) {
  const auto x = a({{"encoder.blocks.0.attn.query.weight", DType::f32, {2, 3}, kValues}});
  const auto y =
      b({{"model.encoder.layers.0.self_attn.q_proj.weight", DType::f16, {2, 3}, kValues}});
  const DiffReport report = diff(x, y, {});
  EXPECT_TRUE(report.is_equal());
  EXPECT_EQ(report.tensors.size(), 1U);
  EXPECT_EQ(report.notes.size(), 1U);
}

TEST_F(Diff, FindsTheLargestDifferenceAndItsPlace) {
  const auto x = a({{"w", DType::f32, {2, 3}, kValues}});
  const auto y = b({{"w", DType::f32, {2, 3}, {1, 2.25F, 3, 4, 4.5F, 6}}});
  const DiffReport report = diff(x, y, {.tolerance = 0.25});
  const TensorDiff& w = report.tensors.at(0);
  EXPECT_EQ(w.comparison, Comparison::differs);
  EXPECT_EQ(w.largest, 0.5);
  EXPECT_EQ(place_in(w.shape_a, w.at), "[1, 1]");
  EXPECT_EQ(w.beyond, 1);  // 0.25 is within the tolerance
  EXPECT_TRUE(diff(x, y, {.tolerance = 0.5}).is_equal());
  EXPECT_NE(diff_text(report, 9).find("different: 1 tensors"), std::string::npos);
}

TEST_F(Diff, NanEqualsNanAndNothingElse) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  const auto x = a({{"w", DType::f32, {4}, {nan, inf, 1, 0.0F}}});
  EXPECT_TRUE(diff(x, b({{"w", DType::f32, {4}, {nan, inf, 1, -0.0F}}}), {}).is_equal());
  const DiffReport report =
      diff(x, b({{"w", DType::f32, {4}, {nan, inf, nan, 0.0F}}}), {.tolerance = 1e30});
  EXPECT_FALSE(report.is_equal());
  EXPECT_TRUE(std::isinf(report.tensors.at(0).largest));
  EXPECT_EQ(report.tensors.at(0).at, 2);
  EXPECT_NE(diff_json(report, {}).find("\"inf\""), std::string::npos);
}

TEST_F(Diff, NamesMissingTensorsAndOtherShapes) {
  const auto x = a({{"v", DType::f32, {6}, kValues}, {"w", DType::f32, {2, 3}, kValues}});
  const auto y = b({{"w", DType::f32, {3, 2}, kValues}, {"z", DType::f32, {6}, kValues}});
  const DiffReport report = diff(x, y, {.tolerance = 0, .threads = 3});
  EXPECT_EQ(report.count(Comparison::only_in_a), 1);
  EXPECT_EQ(report.count(Comparison::only_in_b), 1);
  EXPECT_EQ(report.count(Comparison::shape_differs), 1);
  EXPECT_FALSE(report.is_equal());
}

TEST_F(Diff, ATiedOutputMayBeLeftOut) {
  const Tensor embedding{"model.decoder.embed_tokens.weight", DType::f32, {2, 3}, kValues};
  const auto with = a({embedding, {"proj_out.weight", DType::f32, {2, 3}, kValues}});
  EXPECT_TRUE(diff(with, b({embedding}), {}).is_equal());
  const auto untied = a({embedding, {"proj_out.weight", DType::f32, {2, 3}, {9, 2, 3, 4, 5, 6}}});
  EXPECT_FALSE(diff(b({embedding}), untied, {}).is_equal());
}

}  // namespace
}  // namespace koine::pipeline
