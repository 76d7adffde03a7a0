#include "checkpoint/write_torch.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "checkpoint/source.hpp"
#include "checkpoint/zip_directory.hpp"
#include "checkpoint/zip_writer.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "support/header_file.hpp"
#include "support/temporary_folder.hpp"

namespace koine::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr ModelDims kSmall{80, 51865, 1500, 384, 6, 4, 448, 384, 6, 4};

/// Byte `position` of tensor `index`: anything that differs from place to place.
std::byte byte_of(std::size_t index, std::int64_t position) {
  return static_cast<std::byte>(index * 31 + static_cast<std::size_t>(position) * 7 + 1);
}

void fill(std::size_t index, std::int64_t offset, std::span<std::byte> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = byte_of(index, offset + static_cast<std::int64_t>(i));
  }
}

/// Every type that an OpenAI checkpoint can hold, a scalar, an empty tensor and one of two pieces.
std::vector<OutTensor> tensors() {
  return {{"double", DType::f64, {2}},
          {"float", DType::f32, {2, 3, 4}},
          {"half", DType::f16, {3, 5}},
          {"bfloat", DType::bf16, {7}},
          {"long", DType::i64, {}},
          {"int", DType::i32, {1}},
          {"short", DType::i16, {3}},
          {"char", DType::i8, {5}},
          {"byte", DType::u8, {0, 4}},
          {"bool", DType::boolean, {9}},
          {"two pieces", DType::u8, {kPieceBytes + 5}}};
}

std::string content(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class WriteTorch : public testing::Test {
 protected:
  fs::path write(const std::string& leaf = "x.pt") {
    write_openai_checkpoint(folder_ / leaf, kSmall, tensors(), fill);
    return folder_ / leaf;
  }
  int python(const std::string& script, const std::string& arguments) {
    test::write_bytes(folder_ / "script.py", script);
    return test::run_python((folder_ / "script.py").string() + " " + arguments);
  }
  test::TemporaryFolder folder_;
};

TEST_F(WriteTorch, IsReadByOurReader) {
  const Checkpoint c = open_torch(write());
  EXPECT_EQ(c.dims, kSmall);
  ASSERT_EQ(c.tensors.size(), tensors().size());
  const Source source(c);
  for (std::size_t index = 0; index < c.tensors.size(); ++index) {
    const TensorInfo& tensor = c.tensors[index];
    EXPECT_EQ(tensor.name, tensors()[index].name);
    EXPECT_EQ(tensor.dtype, tensors()[index].dtype);
    EXPECT_EQ(tensor.shape, tensors()[index].shape);
    EXPECT_TRUE(tensor.strides.empty());
    EXPECT_EQ(tensor.offset % 64, 0) << tensor.name;
    std::vector<std::byte> wanted(static_cast<std::size_t>(tensor.bytes())), got(wanted.size());
    fill(index, 0, wanted);
    source.read(tensor, 0, tensor.count(), got);
    EXPECT_TRUE(wanted == got) << tensor.name;
  }
}

TEST_F(WriteTorch, GivesTheSameBytesAgainAndLeavesNothingElse) {
  EXPECT_TRUE(content(write("a.pt")) == content(write("b.pt")));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 2);
}

TEST_F(WriteTorch, IsReadByPythonsZipfileAndPickletools) {
  // A stranger's eyes: zipfile checks every CRC, pickletools every opcode; the unpickler imports
  // nothing.
  const std::string script = R"(
import io, math, pickle, pickletools, sys, zipfile
from collections import OrderedDict

archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
names = archive.namelist()
assert names[:2] == ["archive/data.pkl", "archive/byteorder"] and names[-1] == "archive/version"
assert archive.read("archive/byteorder") == b"little" and archive.read("archive/version") == b"3\n"
assert all(i.compress_type == zipfile.ZIP_STORED and i.date_time == (1980, 1, 1, 0, 0, 0) for i in archive.infolist())
data = archive.read("archive/data.pkl")
opcodes = {op.name for op, _, _ in pickletools.genops(data)}
pickletools.dis(data, out=io.StringIO())
assert max(op.proto for op, _, _ in pickletools.genops(data)) == 2, opcodes

class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *parts: parts
        assert module == "torch" and name.endswith("Storage"), (module, name)
        return name
    def persistent_load(self, identity):
        kind, storage, key, device, count = identity
        assert kind == "storage" and device == "cpu"
        return storage, archive.getinfo("archive/data/" + key).file_size, count

root = Unpickler(io.BytesIO(data)).load()
assert list(root) == ["dims", "model_state_dict"]
assert list(root["dims"].values()) == [80, 51865, 1500, 384, 6, 4, 448, 384, 6, 4], root["dims"]
assert type(root["model_state_dict"]) is OrderedDict and len(root["model_state_dict"]) == 11
width = {"Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1}
for name, ((storage, size, count), offset, shape, stride, grad, hooks) in root["model_state_dict"].items():
    assert offset == 0 and grad is False and hooks == OrderedDict()
    assert count == math.prod(shape) and size == count * width[storage.removesuffix("Storage")], name
assert root["model_state_dict"]["float"][2:4] == ((2, 3, 4), (12, 4, 1))
assert root["model_state_dict"]["long"][2:4] == ((), ())
)";
  EXPECT_EQ(python(script, write().string()), 0);
}

TEST_F(WriteTorch, RefusesATypeThatTorchHasNoStorageFor) {
  const std::vector<OutTensor> odd{{"w", DType::u32, {1}}};
  EXPECT_THROW(write_openai_checkpoint(folder_ / "x.pt", kSmall, odd, fill), InputError);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(WriteTorch, LeavesNothingWhereTheSourceFails) {
  const auto fails = [](std::size_t, std::int64_t, std::span<std::byte>) {
    throw StorageError("gone");
  };
  EXPECT_THROW(write_openai_checkpoint(folder_ / "x.pt", kSmall, tensors(), fails), StorageError);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(WriteTorch, Zip64FieldsAreReadByBothSides) {
  // Thresholds so low that entries, offsets and directory all need zip64, without writing 4 GiB.
  for (const std::int64_t wide_from : {1, 40, 200, 1'000'000}) {
    const fs::path path = folder_ / "wide.zip";
    {
      const File file = File::create(path);
      ZipWriter zip(file, {wide_from, 64});
      zip.add("a/small", "12");
      zip.add("a/large", std::string(100, 'x'));
      zip.add("a/none", "");
      zip.finish();
    }
    const ZipDirectory directory = read_zip_directory(File::open_read(path));
    ASSERT_EQ(directory.entries.size(), 3U);
    const ZipEntry* large = directory.find("a/large");
    EXPECT_EQ(content(path).substr(static_cast<std::size_t>(large->offset), 100),
              std::string(100, 'x'));
    EXPECT_EQ(large->offset % 64, 0);
    EXPECT_EQ(
        python("import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n"
               "assert z.read('a/large') == b'x' * 100 and z.read('a/small') == b'12'\n",
               path.string()),
        0)
        << wide_from;
  }
}

TEST_F(WriteTorch, MoreEntriesThanSixteenBitsCount) {
  const fs::path path = folder_ / "many.zip";
  {
    const File file = File::create(path);
    ZipWriter zip(file);
    for (int i = 0; i < 65'536; ++i) zip.add("a/" + std::to_string(i), "");
    zip.finish();
  }
  EXPECT_EQ(read_zip_directory(File::open_read(path)).entries.size(), 65'536U);
  EXPECT_EQ(
      python("import sys, zipfile\nassert len(zipfile.ZipFile(sys.argv[1]).namelist()) == 65536\n",
             path.string()),
      0);
}

}  // namespace
}  // namespace koine::checkpoint
