#include "store/verify.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "store/layout.hpp"
#include "store/manifest.hpp"
#include "support/small_run.hpp"
#include "support/temporary_folder.hpp"

namespace koine::store {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

std::string summary(const VerifyReport& report) {
  std::string text;
  for (const Damage& damage : report.damages) {
    text += damage.file + ": " + damage.what;
    for (const std::string& tensor : damage.tensors) text += " [" + tensor + "]";
    text += "\n";
  }
  return text;
}

std::string damages_of(const fs::path& run, VerifyOptions options = {}) {
  return summary(verify(run, options));
}

class Verify : public testing::Test {
 protected:
  void SetUp() override { manifest = test::write_small_run(run.path()); }
  const ManifestTensor& tensor(const std::string& name) const {
    return *std::find_if(manifest.tensors.begin(), manifest.tensors.end(),
                         [&](const ManifestTensor& t) { return t.name == name; });
  }
  void flip(const std::string& path, std::size_t at, int bit = 0) const {
    std::string bytes = test::bytes_of(run / path);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ (1 << bit));
    test::put_bytes(run / path, bytes);
  }
  TemporaryFolder run;
  Manifest manifest;
};

TEST_F(Verify, PassesWhatWasWritten) {
  for (const int threads : {1, 3}) {
    std::int64_t last = 0, total = 0;
    VerifyOptions options;
    options.threads = threads;
    options.progress = [&](std::int64_t done, std::int64_t all) {
      EXPECT_GE(done, last);
      last = done;
      total = all;
    };
    const VerifyReport report = verify(run.path(), options);
    EXPECT_EQ(summary(report), "");
    EXPECT_EQ(report.files, 7);  // two shards, master, report, config, SHA256SUMS, manifest
    EXPECT_EQ(report.tensors, static_cast<std::int64_t>(manifest.tensors.size()));
    EXPECT_EQ(report.bytes, report.bytes_total);
    EXPECT_EQ(last, total);
    EXPECT_EQ(total, report.bytes_total);
  }
}

TEST_F(Verify, PassesAfterAMoveAndOtherLogs) {
  const TemporaryFolder elsewhere;
  fs::rename(run.path(), elsewhere / "moved");
  test::put_bytes(elsewhere / "moved/run.log", "another log");
  test::put_bytes(elsewhere / "moved/.koine/more", "x");
  EXPECT_EQ(damages_of(elsewhere / "moved"), "");
  fs::rename(elsewhere / "moved", run.path());
}

TEST_F(Verify, FindsEveryFlippedByteOfSumsAndMaster) {
  for (const std::string name : {"SHA256SUMS", "model.h5"}) {
    const std::string good = test::bytes_of(run / name);
    for (std::size_t i = 0; i < good.size(); i += name == "model.h5" ? 7 : 1) {
      flip(name, i, static_cast<int>(i % 8));
      ASSERT_EQ(damages_of(run.path()), name + ": content differs\n") << "byte " << i;
      test::put_bytes(run / name, good);
    }
  }
}

TEST_F(Verify, NamesTheTensorOfEveryFlippedByteOfAShard) {
  const std::string shard = "shards/encoder.000.h5";
  const std::string good = test::bytes_of(run / shard);
  for (std::size_t i = 0; i < good.size(); i += 41) {
    flip(shard, i, static_cast<int>(i % 8));
    std::string expected = shard + ": content differs";
    for (const ManifestTensor& t : manifest.tensors) {
      const auto at = static_cast<std::int64_t>(i);
      if (t.shard == shard && at >= t.offset && at < t.offset + t.bytes())
        expected += " [" + t.name + "]";
    }
    ASSERT_EQ(damages_of(run.path()), expected + "\n") << "byte " << i;
    test::put_bytes(run / shard, good);
  }
}

TEST_F(Verify, FindsEveryFlippedByteOfTheManifest) {
  const std::string good = test::bytes_of(run / "manifest.json");
  for (std::size_t i = 0; i < good.size(); i += 11) {
    flip("manifest.json", i);
    ASSERT_THROW((void)verify(run.path(), {}), VerifyError) << "byte " << i;
    test::put_bytes(run / "manifest.json", good);
  }
}

TEST_F(Verify, FindsMissingAddedRenamedAndChangedFiles) {
  fs::rename(run / "shards/rest.h5", run / "shards/resT.h5");
  test::put_bytes(run / "files/added.json", "{}");
  test::put_bytes(run / "report.json", "{}\n");
  fs::remove(run / "SHA256SUMS");
  EXPECT_EQ(damages_of(run.path()),
            "SHA256SUMS: missing\nfiles/added.json: not in the manifest\nreport.json: size 3, "
            "expected 22\n"
            "shards/resT.h5: not in the manifest\nshards/rest.h5: missing [ln.bias] [ln.weight]\n");
}

TEST_F(Verify, FindsSwappedFiles) {
  fs::rename(run / "shards/rest.h5", run / "x");
  fs::rename(run / "shards/encoder.000.h5", run / "shards/rest.h5");
  fs::rename(run / "x", run / "shards/encoder.000.h5");
  const VerifyReport report = verify(run.path(), {});
  ASSERT_EQ(report.damages.size(), 2U) << summary(report);
  EXPECT_EQ(report.damages[0].file, "shards/encoder.000.h5");
  EXPECT_EQ(report.damages[1].file, "shards/rest.h5");
  EXPECT_EQ(report.damages[1].tensors,
            std::vector<std::string>{"ln.bias"});  // ln.weight's bytes are in both
}

TEST_F(Verify, NamesTheTensorsThatATruncationCuts) {
  const ManifestTensor& last =
      *std::max_element(manifest.tensors.begin(), manifest.tensors.end() - 2,
                        [](const ManifestTensor& a, const ManifestTensor& b) {
                          return a.offset + a.bytes() < b.offset + b.bytes();
                        });
  const std::int64_t size = last.offset + last.bytes() - 1;
  const auto whole = fs::file_size(run / last.shard);
  fs::resize_file(run / last.shard, static_cast<std::uintmax_t>(size));
  EXPECT_EQ(damages_of(run.path()), last.shard + ": size " + std::to_string(size) + ", expected " +
                                        std::to_string(whole) + " [" + last.name + "]\n");
}

TEST_F(Verify, DoesNotFollowSymbolicLinks) {
  const TemporaryFolder elsewhere;
  fs::rename(run / "shards/rest.h5", elsewhere / "rest.h5");
  fs::create_symlink(elsewhere / "rest.h5", run / "shards/rest.h5");
  EXPECT_EQ(damages_of(run.path()),
            "shards/rest.h5: is not a regular file [ln.bias] [ln.weight]\n");
}

TEST_F(Verify, SaysThatARunIsNotComplete) {
  fs::remove(run / "manifest.json");
  EXPECT_THROW((void)verify(run.path(), {}), VerifyError);
  EXPECT_THROW((void)verify(run / "nowhere", {}), InputError);
}

TEST_F(Verify, ReadsAFixedSampleOfTheTensors) {
  VerifyOptions options;
  options.sample = 0.3;
  const VerifyReport first = verify(run.path(), options), second = verify(run.path(), options);
  EXPECT_EQ(first.bytes, second.bytes);
  EXPECT_EQ(first.tensors, second.tensors);
  EXPECT_LT(first.bytes, first.bytes_total);
  EXPECT_GE(first.tensors, 1);
  EXPECT_LT(first.tensors, static_cast<std::int64_t>(manifest.tensors.size()));
  options.sample = 1e-9;
  EXPECT_EQ(verify(run.path(), options).tensors, 1);
}

TEST_F(Verify, FindsByASampleWhatTheSampleReads) {
  VerifyOptions options;
  options.sample = 0.999999;  // every tensor but, at most, the last of the fixed order
  std::int64_t found = 0, tried = 0;
  for (const ManifestTensor& t : manifest.tensors) {
    if (t.bytes() == 0) continue;
    flip(t.shard, static_cast<std::size_t>(t.offset));
    const std::string expected = t.shard + ": content differs [" + t.name + "]\n";
    found += damages_of(run.path(), options) == expected ? 1 : 0;
    ++tried;
    flip(t.shard, static_cast<std::size_t>(t.offset));
  }
  EXPECT_GE(found, tried - 1);
}

TEST_F(Verify, StopsWhenTimeIsUp) {
  VerifyOptions options;
  options.max_seconds = 1e-9;
  const VerifyReport report = verify(run.path(), options);
  EXPECT_EQ(summary(report), "");
  EXPECT_EQ(report.bytes, 0);
  EXPECT_GT(report.bytes_total, 0);
}

// --- files whose hash is right but that are not what the manifest says: HDF5 is asked

/// Takes the file as it stands into the manifest again, tensors included where they can be read.
void accept(const fs::path& run, Manifest manifest, const std::string& path) {
  for (ManifestFile& file : manifest.files) {
    if (file.path != path) continue;
    file.size = static_cast<std::int64_t>(fs::file_size(run / path));
    file.sha256 = hash_file(run / path);
  }
  for (ManifestTensor& tensor : manifest.tensors) {
    if (tensor.shard == path)
      tensor.sha256 =
          hash_shard(run / path, {{tensor.name, {}, tensor.offset}}, {tensor.bytes()}, 1)
              .tensors[0]
              .sha256;
  }
  write_manifest(run, manifest);
}

TEST_F(Verify, ComparesTheMastersLinksWithTheManifest) {
  auto tensors = manifest.tensors;
  std::swap(tensors[0].shard, tensors.back().shard);
  write_master(run.path(), tensors);
  accept(run.path(), manifest, "model.h5");
  const VerifyReport report = verify(run.path(), {});
  ASSERT_EQ(report.damages.size(), 1U) << summary(report);
  EXPECT_EQ(report.damages[0].file, "model.h5");
  EXPECT_EQ(report.damages[0].tensors.size(), 2U);
  EXPECT_NE(report.damages[0].what.find("leads to"), std::string::npos);
}

TEST_F(Verify, FindsAMasterThatHoldsMoreOrLess) {
  auto tensors = manifest.tensors;
  tensors.pop_back();
  write_master(run.path(), tensors);
  accept(run.path(), manifest, "model.h5");
  EXPECT_NE(damages_of(run.path()).find("'/tensors' has"), std::string::npos);
}

TEST_F(Verify, FindsAMasterThatIsNoHdf5) {
  test::put_bytes(run / "model.h5", "no HDF5 at all");
  accept(run.path(), manifest, "model.h5");
  EXPECT_NE(damages_of(run.path()).find("model.h5: "), std::string::npos);
}

struct Lie {
  const char* name;
  ShardTensor written;  ///< in place of ln.weight, float32 [16]
  const char* what;
};
std::ostream& operator<<(std::ostream& out, const Lie& lie) {
  return out << lie.name;
}

class LyingShard : public Verify, public testing::WithParamInterface<Lie> {};

TEST_P(LyingShard, IsFoundThoughItsHashIsRight) {
  test::write_shard(run / "shards/rest.h5", {GetParam().written, {"ln.bias", DType::f32, {16}}});
  accept(run.path(), manifest, "shards/rest.h5");
  const std::string found = damages_of(run.path());
  EXPECT_NE(found.find(GetParam().what), std::string::npos) << found;
  EXPECT_EQ(found.find("content differs"), std::string::npos) << found;
}

INSTANTIATE_TEST_SUITE_P(
    Shards, LyingShard,
    testing::Values(Lie{"type", {"ln.weight", DType::i32, {16}}, "has another type"},
                    Lie{"half", {"ln.weight", DType::bf16, {16}}, "has another type"},
                    Lie{"shape", {"ln.weight", DType::f32, {4, 4}}, "has another shape"},
                    Lie{"name", {"ln.other", DType::f32, {16}}, "is not there"}),
    [](const testing::TestParamInfo<Lie>& row) { return row.param.name; });

TEST_F(Verify, FindsADatasetAtAnotherOffset) {
  Manifest other = manifest;
  for (ManifestTensor& t : other.tensors) {
    if (t.name == "ln.weight") t.offset -= 8;
  }
  accept(run.path(), other, "shards/rest.h5");
  EXPECT_NE(damages_of(run.path()).find("begins at byte"), std::string::npos);
}

}  // namespace
}  // namespace koine::store
