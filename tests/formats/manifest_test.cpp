#include "store/manifest.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ostream>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "support/small_run.hpp"
#include "support/temporary_folder.hpp"

namespace koine::store {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

/// Replaces the first `from` in the manifest's text and seals it again, as somebody who wants to be
/// believed would.
void forge(const fs::path& run, const std::string& from, const std::string& to) {
  std::string text = test::bytes_of(run / "manifest.json");
  ASSERT_NE(text.find(from), std::string::npos) << from;
  text.replace(text.find(from), from.size(), to);
  const std::string body = text.substr(0, text.rfind(",\n")) + "\n}\n";
  test::put_bytes(run / "manifest.json", body.substr(0, body.size() - 3) +
                                             ",\n  \"manifest_sha256\": \"" + sha256_of(body) +
                                             "\"\n}\n");
}

TEST(Manifest, ComesBackAsItWasWritten) {
  const TemporaryFolder run;
  const Manifest written = test::write_small_run(run.path());
  const Manifest read = read_manifest(run.path());
  EXPECT_EQ(read.recipe, written.recipe);
  EXPECT_EQ(read.inputs, written.inputs);
  EXPECT_EQ(read.arithmetic, written.arithmetic);
  EXPECT_EQ(read.dims, written.dims);
  EXPECT_EQ(read.naming, written.naming);
  EXPECT_EQ(read.tensors.size(), written.tensors.size());
  EXPECT_EQ(read.files.size(), written.files.size());
  for (const ManifestTensor& tensor : read.tensors) {
    const auto same = [&](const ManifestTensor& t) {
      return t.name == tensor.name && t.canonical == tensor.canonical && t.shard == tensor.shard &&
             t.dtype == tensor.dtype && t.shape == tensor.shape && t.offset == tensor.offset &&
             t.sha256 == tensor.sha256;
    };
    EXPECT_EQ(std::count_if(written.tensors.begin(), written.tensors.end(), same), 1)
        << tensor.name;
  }
}

TEST(Manifest, IsTheSameTextForTheSameRun) {
  const TemporaryFolder a, b;
  test::write_small_run(a.path());
  test::write_small_run(b.path());
  for (const char* name : {"manifest.json", "SHA256SUMS", "model.h5"}) {
    EXPECT_EQ(test::bytes_of(a / name), test::bytes_of(b / name)) << name;
  }
}

TEST(Manifest, KeepsARunWithoutDimsAndOfUnknownNaming) {
  const TemporaryFolder run;
  Manifest manifest = test::write_small_run(run.path());
  manifest.dims.reset();
  manifest.naming = checkpoint::Naming::unknown;
  write_manifest(run.path(), manifest);
  EXPECT_EQ(read_manifest(run.path()).dims, std::nullopt);
  EXPECT_EQ(read_manifest(run.path()).naming, checkpoint::Naming::unknown);
}

TEST(Manifest, SaysThatARunIsNotComplete) {
  const TemporaryFolder run;
  EXPECT_FALSE(has_manifest(run.path()));
  EXPECT_THROW((void)read_manifest(run.path()), InputError);
  test::write_small_run(run.path());
  EXPECT_TRUE(has_manifest(run.path()));
}

TEST(Manifest, FindsEveryFlippedByteOfItself) {
  const TemporaryFolder run;
  test::write_small_run(run.path());
  const std::string good = test::bytes_of(run / "manifest.json");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    test::put_bytes(run / "manifest.json", bad);
    EXPECT_THROW((void)read_manifest(run.path()), VerifyError) << "byte " << i;
  }
}

TEST(Manifest, FindsEveryShorteningOfItself) {
  const TemporaryFolder run;
  test::write_small_run(run.path());
  const std::string good = test::bytes_of(run / "manifest.json");
  for (std::size_t size = 0; size < good.size(); size += 13) {
    test::put_bytes(run / "manifest.json", good.substr(0, size));
    EXPECT_THROW((void)read_manifest(run.path()), VerifyError) << size << " bytes";
  }
  test::put_bytes(run / "manifest.json", good + "\n");
  EXPECT_THROW((void)read_manifest(run.path()), VerifyError);
}

struct Forgery {
  const char* name;
  const char* from;
  const char* to;
};
std::ostream& operator<<(std::ostream& out, const Forgery& forgery) {
  return out << forgery.name;
}

class ForgedManifest : public testing::TestWithParam<Forgery> {};

TEST_P(ForgedManifest, IsRefusedThoughItsHashIsRight) {
  const TemporaryFolder run;
  test::write_small_run(run.path());
  forge(run.path(), GetParam().from, GetParam().to);
  EXPECT_THROW((void)read_manifest(run.path()), VerifyError);
}

INSTANTIATE_TEST_SUITE_P(
    Members, ForgedManifest,
    testing::Values(
        Forgery{"format", "koine-run", "koine-walk"},
        Forgery{"version", "_version\": 1", "_version\": 2"},
        Forgery{"incomplete", "\"complete\": true", "\"complete\": false"},
        Forgery{"no_recipe", "\"recipe\"", "\"receipt\""},
        Forgery{"naming", "\"openai\"", "\"klingon\""},
        Forgery{"path_up", "\"report.json\"", "\"../report.json\""},
        Forgery{"path_absolute", "\"report.json\"", "\"/report.json\""},
        Forgery{"path_inside_up", "\"files/config.json\"", "\"files/../config.json\""},
        Forgery{"path_break", "\"report.json\"", "\"report\\n.json\""},
        Forgery{"path_free", "\"report.json\"", "\"run.log\""},
        Forgery{"sums_listed", "\"report.json\"", "\"SHA256SUMS\""},
        Forgery{"foreign_shard", "\"shard\": \"shards/rest.h5\"", "\"shard\": \"../rest.h5\""},
        Forgery{"dtype", "\"float16\"", "\"float15\""},
        Forgery{"offset_float", "\"offset\": ", "\"offset\": 0."},
        Forgery{"offset_negative", "\"offset\": ", "\"offset\": -"},
        Forgery{"offset_beyond", "\"offset\": ", "\"offset\": 9"},
        Forgery{"offset_huge", "\"offset\": ", "\"offset\": 4611686018427"},
        Forgery{"offset_above_int64", "\"offset\": ", "\"offset\": 999999999999999"},
        Forgery{"bytes", "\"bytes\": ", "\"bytes\": 1"},
        Forgery{"shape", "\"shape\": [", "\"shape\": [4611686018427387904, "},
        Forgery{"shape_text", "\"shape\": [", "\"shape\": [\"1\", "},
        Forgery{"hash_short", "\"sha256\": \"", "\"sha256\": \"0"},
        Forgery{"repeated_key", "\"complete\": true", "\"complete\": true,\n  \"complete\": true"},
        Forgery{"dims", "\"n_mels\": 80", "\"n_mels\": \"80\""}),
    [](const testing::TestParamInfo<Forgery>& row) { return row.param.name; });

TEST(Manifest, RefusesToListWhatSha256sumCannotRead) {
  const TemporaryFolder run;
  Manifest manifest = test::write_small_run(run.path());
  manifest.files.push_back({"files/a\\b", 1, std::string(64, '0')});
  EXPECT_THROW(write_manifest(run.path(), manifest), InputError);
  manifest.files.back().path = "files/\xFF\xFE";
  EXPECT_THROW(write_manifest(run.path(), manifest), InputError);
}

TEST(Manifest, PassesSha256sum) {
  const TemporaryFolder run;
  test::write_small_run(run.path());
  const std::string command =
      "cd '" + run.path().string() + "' && sha256sum --strict --quiet -c SHA256SUMS";
  EXPECT_EQ(std::system(command.c_str()), 0);
  const std::string sums = test::bytes_of(run / "SHA256SUMS");
  EXPECT_EQ(std::count(sums.begin(), sums.end(), '\n'), 5);  // two shards, master, report, config
}

TEST(Master, IsReadByAStrangerAlsoAfterAMove) {
  const TemporaryFolder folder;
  test::write_small_run(folder / "run");
  const std::string script = test::test_source("formats/read_run_folder.py").string() + " ";
  EXPECT_EQ(test::run_python(script + (folder / "run").string()), 0);
  fs::rename(folder / "run", folder / "moved");
  EXPECT_EQ(test::run_python(script + (folder / "moved").string()), 0);
}

}  // namespace
}  // namespace koine::store
