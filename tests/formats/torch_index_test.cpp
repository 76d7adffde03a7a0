#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "core/error.hpp"
#include "support/header_file.hpp"
#include "support/pickle_text.hpp"
#include "support/temporary_folder.hpp"
#include "support/zip_builder.hpp"

namespace koine::checkpoint {
namespace {

namespace fs = std::filesystem;
namespace pk = test::pk;

std::string shard(const std::vector<std::string>& names) {
  std::string pickle = pk::kProto + "}(";
  for (const std::string& name : names) pickle += pk::text(name) + pk::matrix();
  return test::zip_bytes(test::torch_parts(pickle + "u.", {std::string(24, 'x')}));
}

class TorchIndex : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "m");
    test::write_bytes(folder_ / "m/one.bin", shard({"a", "b"}));
    test::write_bytes(folder_ / "m/two.bin", shard({"c"}));
    test::write_bytes(folder_ / "out.bin", shard({"c"}));
    fs::create_symlink("../out.bin", folder_ / "m/link.bin");
  }
  Checkpoint read(const std::string& weight_map) {
    const fs::path index = folder_ / "m/pytorch_model.bin.index.json";
    test::write_bytes(index, R"({"metadata":{},"weight_map":)" + weight_map + "}");
    return open_torch_index(index);
  }
  std::string refusal(const std::string& weight_map) {
    EXPECT_THROW((void)read(weight_map), InputError) << weight_map;
    return test::message_of([&] { (void)read(weight_map); });
  }
  test::TemporaryFolder folder_;
};

TEST_F(TorchIndex, GathersTheShards) {
  const Checkpoint c = read(R"({"a":"one.bin","b":"one.bin","c":"two.bin"})");
  EXPECT_EQ(c.format, Format::torch);
  EXPECT_EQ(c.files.size(), 2U);
  ASSERT_EQ(c.tensors.size(), 3U);
  EXPECT_EQ(c.tensors[2].file, 1);
}

TEST_F(TorchIndex, NotesWhatIsNotListed) {
  EXPECT_EQ(read(R"({"a":"one.bin","c":"two.bin"})").notes.size(), 1U);
}

TEST_F(TorchIndex, RefusesWhatIsListedButAbsent) {
  EXPECT_NE(refusal(R"({"a":"one.bin","x":"two.bin"})").find("'x' is listed"), std::string::npos);
}

TEST_F(TorchIndex, RefusesTheSameTensorInTwoFiles) {
  test::write_bytes(folder_ / "m/two.bin", shard({"c", "a"}));
  EXPECT_NE(refusal(R"({"a":"one.bin","c":"two.bin"})").find("in two files"), std::string::npos);
}

TEST_F(TorchIndex, StaysInItsFolder) {
  for (const std::string file :
       {"../out.bin", "..", "/etc/passwd", "sub/x.bin", "", "link.bin", "gone.bin"}) {
    EXPECT_NE(refusal(R"({"c":")" + file + "\"}"), "") << file;
  }
}

}  // namespace
}  // namespace koine::checkpoint
