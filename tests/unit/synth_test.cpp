#include "pipeline/synth.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "support/temporary_folder.hpp"

namespace koine::pipeline {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
  return read_text_file(path, 1 << 30);
}

SynthOptions small_options(const std::filesystem::path& output) {
  SynthOptions options;
  options.experts = 1;
  options.layers = 1;
  options.dtype = DType::f16;
  options.output = output;
  return options;
}

TEST(Synth, BytesDoNotDependOnThreads) {
  const test::TemporaryFolder folder;
  auto options = small_options(folder / "one");
  (void)synth(options);
  options.output = folder / "three";
  options.threads = 5;
  (void)synth(options);
  for (const char* leaf : {"base/model.safetensors", "expert1/model.safetensors",
                           "expert1/config.json", "lors.yaml"}) {
    EXPECT_EQ(bytes_of(folder / "one" / leaf), bytes_of(folder / "three" / leaf)) << leaf;
  }
}

TEST(Synth, GoesOnWhereItStoppedAndRefusesOtherSettings) {
  const test::TemporaryFolder folder;
  auto options = small_options(folder / "d");
  EXPECT_FALSE(synth(options).was_complete);
  EXPECT_TRUE(synth(options).was_complete);
  const std::string first = bytes_of(folder / "d/expert1/model.safetensors");
  std::filesystem::remove(folder / "d/expert1/model.safetensors");
  EXPECT_FALSE(synth(options).was_complete);
  EXPECT_EQ(bytes_of(folder / "d/expert1/model.safetensors"), first);
  options.seed = 9;
  EXPECT_NE(test::message_of([&] { (void)synth(options); }).find("seed 0, asked for 9"),
            std::string::npos);
  options.output = folder.path();
  EXPECT_NE(test::message_of([&] { (void)synth(options); }).find("not made by koine synth"),
            std::string::npos);
  options.model = "tinny";
  EXPECT_NE(test::message_of([&] { (void)synth(options); }).find("did you mean 'tiny'"),
            std::string::npos);
}

}  // namespace
}  // namespace koine::pipeline
