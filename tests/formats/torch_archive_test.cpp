#include <cstring>
#include <ostream>

#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "checkpoint/source.hpp"
#include "core/error.hpp"
#include "formats/golden/golden_torch.hpp"
#include "support/header_file.hpp"
#include "support/pickle_text.hpp"
#include "support/temporary_folder.hpp"
#include "support/zip_builder.hpp"

namespace koine::checkpoint {
namespace {

namespace fs = std::filesystem;
namespace pk = test::pk;
using test::torch_parts;
using test::zip_bytes;

const std::string kSixFloats(24, 'x');

class TorchArchive : public testing::Test {
 protected:
  fs::path write(const std::string& bytes, const std::string& leaf = "x.pt") {
    test::write_bytes(folder_ / leaf, bytes);
    return folder_ / leaf;
  }
  Checkpoint read(const std::string& pickle,
                  const std::vector<std::string>& storages = {kSixFloats}) {
    return open_torch(write(zip_bytes(torch_parts(pickle, storages))));
  }
  std::string refusal(const std::string& pickle,
                      const std::vector<std::string>& storages = {kSixFloats}) {
    EXPECT_THROW((void)read(pickle, storages), InputError);
    return test::message_of([&] { (void)read(pickle, storages); });
  }
  test::TemporaryFolder folder_;
};

const TensorInfo& named(const Checkpoint& checkpoint, const std::string& name) {
  for (const TensorInfo& tensor : checkpoint.tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("no tensor " + name);
}

template <typename T>
std::vector<T> values(const Checkpoint& checkpoint, const std::string& name) {
  const TensorInfo& tensor = named(checkpoint, name);
  std::vector<T> result(static_cast<std::size_t>(tensor.count()));
  Source(checkpoint).read(tensor, 0, tensor.count(), std::as_writable_bytes(std::span(result)));
  return result;
}

void expect_golden(const Checkpoint& c) {
  ASSERT_TRUE(c.dims.has_value());
  EXPECT_EQ(*c.dims, (ModelDims{80, 81, 82, 83, 84, 85, 86, 87, 88, 89}));
  ASSERT_EQ(c.tensors.size(), 10U);
  EXPECT_TRUE(c.notes.empty());
  EXPECT_EQ(named(c, "half").dtype, DType::f16);
  EXPECT_EQ(named(c, "half").shape, (Shape{2, 3}));
  // -2.5, -1.5, -0.5, 0.5, 1.5, 2.5 in binary16
  EXPECT_EQ(values<std::uint16_t>(c, "half"),
            (std::vector<std::uint16_t>{0xC100, 0xBE00, 0xB800, 0x3800, 0x3E00, 0x4100}));
  EXPECT_EQ(named(c, "bfloat").dtype, DType::bf16);
  EXPECT_EQ(values<std::uint16_t>(c, "bfloat"),
            (std::vector<std::uint16_t>{0x3F80, 0xC040, 0x3E20}));
  EXPECT_EQ(values<float>(c, "shared"), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_TRUE(named(c, "shared").strides.empty());
  EXPECT_EQ(named(c, "transposed").shape, (Shape{3, 2}));
  EXPECT_EQ(named(c, "transposed").strides, (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(values<float>(c, "transposed"), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(named(c, "tail").offset, named(c, "shared").offset + 16);
  EXPECT_EQ(values<float>(c, "tail"), (std::vector<float>{4, 5}));
  EXPECT_EQ(values<float>(c, "parameter"), (std::vector<float>{0.5F}));
  EXPECT_EQ(values<double>(c, "scalar"), (std::vector<double>{7}));
  EXPECT_EQ(named(c, "empty").shape, (Shape{0, 4}));
  EXPECT_EQ(values<std::uint8_t>(c, "boolean"), (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(named(c, "words").dtype, DType::u16);
  EXPECT_EQ(values<std::uint16_t>(c, "words"), (std::vector<std::uint16_t>{40000, 2}));
}

template <std::size_t N>
std::string text_of(const std::array<unsigned char, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

TEST_F(TorchArchive, ReadsWhatTorchWrites) {
  expect_golden(open_torch(write(text_of(kGoldenTorch))));
}

TEST_F(TorchArchive, ReadsPickleProtocol4) {
  expect_golden(open_torch(write(text_of(kGoldenTorchProtocol4))));
}

TEST_F(TorchArchive, ReadsABareStateDictAndANestedOne) {
  const Checkpoint bare = read(pk::state_dict(pk::matrix()));
  ASSERT_EQ(bare.tensors.size(), 1U);
  EXPECT_EQ(bare.format, Format::torch);
  EXPECT_FALSE(bare.dims.has_value());
  EXPECT_EQ(bare.files[0].size, static_cast<std::int64_t>(fs::file_size(bare.files[0].path)));
  const std::string inner = "}" + pk::text("w") + pk::matrix() + "s";
  const Checkpoint nested =
      read(pk::kProto + "}(" + pk::text("state_dict") + inner + pk::text("epoch") + "K\x07u.");
  EXPECT_EQ(nested.tensors.at(0).name, "w");
  EXPECT_EQ(nested.notes.size(), 1U);
}

TEST_F(TorchArchive, DropsHarmlessEntriesOnly) {
  const std::string dict = pk::kProto + "}(" + pk::text("w") + pk::matrix();
  EXPECT_EQ(read(dict + pk::text("_metadata") + "}u.").tensors.size(), 1U);
  EXPECT_EQ(read(dict + pk::text("a._extra_state") + "Nu.").tensors.size(), 1U);
  EXPECT_NE(
      refusal(dict + pk::text("epoch") + "K\x07u.").find("'epoch' of its state dict is an integer"),
      std::string::npos);
  EXPECT_NE(refusal(dict + pk::text("_metadata") + "Nu.").find("None"), std::string::npos);
}

TEST_F(TorchArchive, OneRowOrColumnIsContiguousWhateverItsStride) {
  const Checkpoint c = read(pk::state_dict(
      pk::tensor(pk::storage("FloatStorage", "0", 6), 0, "K\x01K\x06", "K\x63K\x01")));
  EXPECT_TRUE(c.tensors.at(0).strides.empty());
}

struct Wrong {
  const char* name;
  std::vector<test::ZipPart> parts;
  const char* message;
};
std::ostream& operator<<(std::ostream& out, const Wrong& wrong) {
  return out << wrong.name;
}
class HostileArchive : public testing::TestWithParam<Wrong> {};

TEST_P(HostileArchive, IsRefused) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "x.pt", zip_bytes(GetParam().parts));
  EXPECT_THROW((void)open_torch(folder / "x.pt"), InputError);
  const std::string message = test::message_of([&] { (void)open_torch(folder / "x.pt"); });
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
  EXPECT_EQ(message.rfind((folder / "x.pt").string(), 0), 0U) << message;
}

std::vector<test::ZipPart> with(std::vector<test::ZipPart> parts, const std::string& name,
                                const std::string& data) {
  test::ZipPart part;
  part.name = name;
  part.data = data;
  parts.push_back(part);
  return parts;
}
std::vector<test::ZipPart> honest() {
  return torch_parts(pk::state_dict(pk::matrix()), {kSixFloats});
}
std::vector<test::ZipPart> tampered(const std::string& pickle) {
  return torch_parts(pickle, {kSixFloats});
}
std::string openai(const std::string& dims) {
  return pk::kProto + "}(" + pk::text("dims") + dims + pk::text("model_state_dict") + "}" +
         pk::text("w") + pk::matrix() + "su.";
}

const std::vector<Wrong> kWrongs{
    {"os_system",
     tampered(pk::kProto + pk::global("posix", "system") + pk::text("touch executed") + "\x85R."),
     "posix.system"},
    {"eval_inside_a_state_dict",
     tampered(pk::state_dict(pk::global("builtins", "eval") + pk::text("1") + "\x85R")),
     "builtins.eval"},
    {"big_endian", torch_parts(pk::state_dict(pk::matrix()), {kSixFloats}, "big"),
     "byte order is big"},
    {"strange_byte_order", torch_parts(pk::state_dict(pk::matrix()), {kSixFloats}, "middle"),
     "byte order is unknown"},
    {"long_byte_order",
     torch_parts(pk::state_dict(pk::matrix()), {kSixFloats}, std::string(100, 'x')), "at most 16"},
    {"no_pickle", {torch_parts("", {kSixFloats})[1]}, "no data.pkl"},
    {"two_pickles", with(honest(), "b/data.pkl", "x"), "or several"},
    {"pickle_deeper_down", with({}, "a/b/data.pkl", "x"), "no data.pkl"},
    {"entry_elsewhere", with(honest(), "b/x", "x"), "lies outside 'a/'"},
    {"torch_script", with(honest(), "a/constants.pkl", "x"), "TorchScript"},
    {"storage_missing", torch_parts(pk::state_dict(pk::matrix()), {}),
     "lacks the storage a/data/0"},
    {"storage_key_climbs",
     tampered(pk::state_dict(pk::tensor(pk::storage("FloatStorage", "../data.pkl", 1), 0, "", ""))),
     "lacks the storage"},
    {"storage_shorter_than_said", torch_parts(pk::state_dict(pk::matrix()), {std::string(23, 'x')}),
     "has 23 bytes"},
    {"storage_longer_than_said", torch_parts(pk::state_dict(pk::matrix()), {std::string(28, 'x')}),
     "has 28 bytes"},
    {"storage_of_another_type",
     tampered(pk::state_dict(pk::tensor(pk::storage("HalfStorage", "0", 6), 0, "K\x06", "K\x01"))),
     "needs 12"},
    {"no_tensors", tampered(pk::kProto + "}."), "holds no tensors"},
    {"root_is_a_tensor", tampered(pk::kProto + pk::matrix() + "."), "holds a tensor"},
    {"root_is_a_list", tampered(pk::kProto + "]."), "holds a list"},
    {"key_is_a_number", tampered(pk::kProto + "}K\x01" + pk::matrix() + "s."), "no string"},
    {"same_tensor_twice",
     tampered(pk::kProto + "}(" + pk::text("w") + pk::matrix() + pk::text("w") + pk::matrix() +
              "u."),
     "'w' stands in it twice"},
    {"name_is_no_utf8", tampered(pk::kProto + "}" + pk::text("\xff") + pk::matrix() + "s."),
     "UTF-8"},
    {"name_steers_the_terminal",
     tampered(pk::kProto + "}" + pk::text("\x1b[2J") + pk::matrix() + "s."), "control characters"},
    {"name_is_empty", tampered(pk::kProto + "}" + pk::text("") + pk::matrix() + "s."), "is empty"},
    {"dims_incomplete", tampered(openai("}" + pk::text("n_mels") + "K\x50s")),
     "lacks a usable 'n_vocab'"},
    {"dims_of_strings", tampered(openai("}" + pk::text("n_mels") + pk::text("80") + "s")),
     "lacks a usable 'n_mels'"},
};
INSTANTIATE_TEST_SUITE_P(TorchArchive, HostileArchive, testing::ValuesIn(kWrongs),
                         [](const auto& row) { return row.param.name; });

TEST_F(TorchArchive, NothingIsExecuted) {
  const fs::path trace = folder_ / "executed";
  (void)refusal(pk::kProto + pk::global("posix", "system") + pk::text("touch " + trace.string()) +
                "\x85R.");
  EXPECT_FALSE(fs::exists(trace));
}

TEST_F(TorchArchive, SaysHowToSaveAnOldFileAgain) {
  const std::string pickle = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  const std::string tar = std::string(257, 'x') + "ustar  " + std::string(300, '\0');
  for (const std::string& old : {pickle, tar}) {
    const std::string message = test::message_of([&] { (void)open_torch(write(old)); });
    EXPECT_NE(message.find("torch.save(torch.load("), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace koine::checkpoint
