#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recipe/paths.hpp"
#include "support/temporary_folder.hpp"

namespace koine::recipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Two folders, recipe/ and work/; the working folder is work/ while this lives, and the HF cache
/// is empty.
class RecipePaths : public ::testing::Test {
 protected:
  void SetUp() override {
    before_ = fs::current_path();
    fs::create_directories(recipe());
    fs::create_directories(folder_ / "work");
    fs::current_path(folder_ / "work");
    unsetenv("HF_HUB_CACHE");
    setenv("HF_HOME", (folder_ / "hf").c_str(), 1);
  }
  void TearDown() override {
    fs::current_path(before_);
    unsetenv("HF_HOME");
  }
  [[nodiscard]] fs::path recipe() const { return folder_ / "recipe"; }
  void add(const std::string& path) const { fs::create_directories(folder_ / path); }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }

  test::TemporaryFolder folder_;

 private:
  fs::path before_;
};

TEST_F(RecipePaths, BesideTheRecipeFirst) {
  add("recipe/m/x");
  EXPECT_EQ(resolve_path("m/x/", recipe()).path, (recipe() / "m/x").string());
  EXPECT_EQ(resolve_path("m/x", recipe()).warning, "");
  add("work/m/x");
  const auto both = resolve_path("m/x", recipe());
  EXPECT_EQ(both.path, (recipe() / "m/x").string());
  EXPECT_THAT(both.warning, HasSubstr("'m/x' is beside the recipe and in the working folder"));
  EXPECT_EQ(resolve_path("m/x", fs::current_path()).warning, "");
}

TEST_F(RecipePaths, ElseTheWorkingFolderOrAnAbsolutePath) {
  add("work/y");
  EXPECT_EQ(fs::canonical(resolve_path("y", recipe()).path), fs::canonical(folder_ / "work/y"));
  EXPECT_EQ(resolve_path((folder_ / "work/y").string(), recipe()).path,
            (folder_ / "work/y").string());
  EXPECT_THAT(resolve_path("/no/such/model", recipe()).problem,
              HasSubstr("'/no/such/model' is not there"));
}

TEST_F(RecipePaths, ElseTheHuggingFaceCache) {
  EXPECT_THAT(resolve_path("openai/whisper-small", recipe()).problem,
              HasSubstr("correct the path or run: hf download openai/whisper-small"));
  write("hf/hub/models--openai--whisper-small/refs/main", "abc123\n");
  EXPECT_NE(resolve_path("openai/whisper-small", recipe()).problem, "")
      << "a ref without its snapshot";
  add("hf/hub/models--openai--whisper-small/snapshots/abc123");
  EXPECT_EQ(resolve_path("openai/whisper-small", recipe()).path,
            (folder_ / "hf/hub/models--openai--whisper-small/snapshots/abc123").string());
  EXPECT_EQ(resolve_path("openai/whisper-small@abc123", recipe()).problem, "");
  EXPECT_THAT(resolve_path("openai/whisper-small@v2", recipe()).problem,
              HasSubstr("hf download openai/whisper-small --revision v2"));
}

TEST_F(RecipePaths, ARefNeverLeadsOutOfTheCache) {
  add("hf/secret");
  write("hf/hub/models--a--b/refs/main", "../../../secret");
  fs::create_directories(folder_ / "hf/hub/models--a--b/snapshots");
  EXPECT_NE(resolve_path("a/b", recipe()).problem, "");
  write("hf/hub/models--a--b/refs/main", "..");
  EXPECT_NE(resolve_path("a/b", recipe()).problem, "");
}

TEST_F(RecipePaths, NamesAreTheLastPart) {
  EXPECT_EQ(last_part("checkpoints/whisper-small-ca", ""), "whisper-small-ca");
  EXPECT_EQ(last_part("checkpoints/whisper-small-ca//", ""), "whisper-small-ca");
  EXPECT_EQ(last_part("openai/whisper-small@v2", "/hf/snapshots/abc"), "whisper-small");
  EXPECT_EQ(last_part("..", "/a/b"), "b");
  EXPECT_EQ(last_part("expert1.pt", ""), "expert1.pt");
}

}  // namespace
}  // namespace koine::recipe
