#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "support/header_file.hpp"
#include "support/temporary_folder.hpp"

namespace koine::checkpoint {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::safetensors_bytes;
using test::write_bytes;

/// A shard of float32 scalars with the given names.
std::string shard(const std::vector<std::string>& names) {
  std::string header = "{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    header += (i == 0 ? "\"" : ",\"") + names[i] +
              R"(":{"dtype":"F32","shape":[],"data_offsets":[)" + std::to_string(4 * i) + "," +
              std::to_string(4 * i + 4) + "]}";
  }
  return safetensors_bytes(header + "}", std::string(4 * names.size(), 'x'));
}

class Index : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "m");
    write_bytes(folder_ / "m/one.safetensors", shard({"a", "b"}));
    write_bytes(folder_ / "m/two.safetensors", shard({"c"}));
  }
  fs::path index(const std::string& weight_map) {
    write_bytes(folder_ / "m/model.safetensors.index.json",
                R"({"metadata":{"total_size":12},"weight_map":)" + weight_map + "}");
    return folder_ / "m/model.safetensors.index.json";
  }
  std::string refusal(const std::string& weight_map) {
    return message_of([&] { (void)open_safetensors_index(index(weight_map)); });
  }
  test::TemporaryFolder folder_;
};

TEST_F(Index, GathersTheShards) {
  const Checkpoint c = open_safetensors_index(
      index(R"({"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"})"));
  EXPECT_EQ(c.files.size(), 2U);
  EXPECT_EQ(c.tensors.size(), 3U);
  EXPECT_TRUE(c.notes.empty());
}

TEST_F(Index, LeavesOutWhatIsNotListedAndSaysSo) {
  const Checkpoint c =
      open_safetensors_index(index(R"({"a":"one.safetensors","c":"two.safetensors"})"));
  EXPECT_EQ(c.tensors.size(), 2U);
  ASSERT_EQ(c.notes.size(), 1U);
  EXPECT_NE(c.notes[0].find("'b'"), std::string::npos);
}

TEST_F(Index, RefusesAListedTensorThatIsNotThere) {
  EXPECT_NE(refusal(R"({"a":"one.safetensors","z":"two.safetensors"})").find("'z' is listed"),
            std::string::npos);
}

TEST_F(Index, RefusesATensorInTwoFiles) {
  write_bytes(folder_ / "m/two.safetensors", shard({"c", "a"}));
  EXPECT_NE(refusal(R"({"a":"one.safetensors","c":"two.safetensors"})").find("two files"),
            std::string::npos);
}

TEST_F(Index, RefusesEveryWayOutOfTheFolder) {
  write_bytes(folder_ / "secret.safetensors", shard({"a"}));
  const std::string absolute = (folder_ / "secret.safetensors").string();
  for (const std::string& name :
       {std::string("../secret.safetensors"), absolute, std::string(".."), std::string(""),
        std::string("sub/one.safetensors"), std::string("..\\\\secret.safetensors")}) {
    EXPECT_NE(refusal("{\"a\":\"" + name + "\"}").find("plain file name"), std::string::npos)
        << name;
  }
  fs::create_symlink("../secret.safetensors", folder_ / "m/link.safetensors");
  EXPECT_NE(refusal(R"({"a":"link.safetensors"})").find("link out of its folder"),
            std::string::npos);
}

TEST_F(Index, FollowsTheLinksOfAHuggingFaceCache) {
  fs::create_directories(folder_ / "models--org--name/blobs");
  fs::create_directories(folder_ / "models--org--name/snapshots/abc");
  const fs::path snapshot = folder_ / "models--org--name/snapshots/abc";
  write_bytes(folder_ / "models--org--name/blobs/123", shard({"a"}));
  fs::create_symlink("../../blobs/123", snapshot / "one.safetensors");
  write_bytes(snapshot / "model.safetensors.index.json",
              R"({"weight_map":{"a":"one.safetensors"}})");
  EXPECT_EQ(open_safetensors_index(snapshot / "model.safetensors.index.json").tensors.size(), 1U);
}

TEST_F(Index, RefusesWhatIsNoIndex) {
  EXPECT_NE(refusal("[]").find("weight_map"), std::string::npos);
  EXPECT_NE(refusal("{}").find("weight_map"), std::string::npos);
  EXPECT_NE(refusal(R"({"a":3})").find("no file name"), std::string::npos);
  EXPECT_NE(refusal(R"({"a":"one.safetensors","a":"two.safetensors"})").find("twice"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"a":"missing.safetensors"})").find("cannot be opened"), std::string::npos);
}

}  // namespace
}  // namespace koine::checkpoint
