#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "support/small_run.hpp"
#include "support/temporary_folder.hpp"

namespace koine::checkpoint {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

class RunFolder : public testing::Test {
 protected:
  void SetUp() override { manifest = test::write_small_run(run.path()); }
  std::string refusal() const {
    EXPECT_THROW((void)open_run_folder(run.path()), InputError);
    return test::message_of([&] { (void)open_run_folder(run.path()); });
  }
  TemporaryFolder run;
  store::Manifest manifest;
};

TEST_F(RunFolder, FindsEveryTensorsBytes) {
  const Checkpoint checkpoint = open_run_folder(run.path());
  EXPECT_EQ(checkpoint.format, Format::run_folder);
  EXPECT_EQ(checkpoint.dims, manifest.dims);
  EXPECT_EQ(checkpoint.naming, Naming::openai);
  EXPECT_EQ(checkpoint.files.size(), 2U);
  ASSERT_EQ(checkpoint.tensors.size(), manifest.tensors.size());
  const auto kinds = test::every_kind();
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto tensor = std::find_if(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                                     [&](const TensorInfo& t) { return t.name == kinds[i].name; });
    ASSERT_NE(tensor, checkpoint.tensors.end());
    EXPECT_EQ(tensor->dtype, kinds[i].dtype);
    EXPECT_EQ(tensor->shape, kinds[i].shape);
    std::vector<std::byte> bytes(static_cast<std::size_t>(tensor->bytes()));
    File::open_read(checkpoint.files[static_cast<std::size_t>(tensor->file)].path)
        .read_at(bytes, tensor->offset);
    EXPECT_EQ(bytes, test::pattern(kinds[i], i)) << kinds[i].name;
  }
}

TEST_F(RunFolder, ThatIsNotCompleteSaysWhatToDo) {
  fs::remove(run / "manifest.json");
  EXPECT_NE(refusal().find("`koine merge` again"), std::string::npos);
}

TEST_F(RunFolder, OfADamagedManifestIsRefused) {
  test::put_bytes(run / "manifest.json", "{}\n");
  EXPECT_NE(refusal().find("manifest.json"), std::string::npos);
}

TEST_F(RunFolder, WithAShardOfAnotherSizeIsRefused) {
  fs::resize_file(run / "shards/rest.h5", 100);
  EXPECT_NE(refusal().find("has 100 bytes"), std::string::npos);
  EXPECT_NE(refusal().find("koine verify"), std::string::npos);
}

TEST_F(RunFolder, WithoutAShardIsRefused) {
  fs::remove(run / "shards/rest.h5");
  EXPECT_NE(refusal().find("rest.h5"), std::string::npos);
}

TEST_F(RunFolder, WhoseShardsLieElsewhereIsRefused) {
  const TemporaryFolder elsewhere;
  fs::rename(run / "shards", elsewhere / "shards");
  fs::create_directory_symlink(elsewhere / "shards", run / "shards");
  EXPECT_NE(refusal().find("symbolic link"), std::string::npos);
}

}  // namespace
}  // namespace koine::checkpoint
