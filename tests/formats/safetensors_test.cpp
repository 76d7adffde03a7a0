#include <map>

#include <gtest/gtest.h>

#include "checkpoint/formats.hpp"
#include "checkpoint/source.hpp"
#include "core/rules.hpp"
#include "golden_safetensors.hpp"
#include "support/header_file.hpp"
#include "support/temporary_folder.hpp"

namespace koine::checkpoint {
namespace {

using test::safetensors_bytes;
using test::write_bytes;

TEST(Safetensors, ReadsWhatTheReferenceWrote) {
  const test::TemporaryFolder folder;
  const std::string bytes(reinterpret_cast<const char*>(kGolden.data()), kGolden.size());
  write_bytes(folder / "golden.safetensors", bytes);
  const Checkpoint golden = open_safetensors(folder / "golden.safetensors");
  ASSERT_EQ(golden.tensors.size(), 13U);
  std::map<std::string, const TensorInfo*> by_name;
  for (const TensorInfo& tensor : golden.tensors) by_name[tensor.name] = &tensor;
  EXPECT_EQ(by_name.at("d.scalar")->shape, Shape{});
  EXPECT_EQ(by_name.at("e.empty")->shape, (Shape{0, 4}));
  EXPECT_EQ(by_name.at("é.utf8")->dtype, DType::f16);
  const Source source(golden);
  std::array<std::uint16_t, 3> bf16{};
  source.read(*by_name.at("c.bfloat"), 0, 3, std::as_writable_bytes(std::span(bf16)));
  EXPECT_EQ(rules::widen_bf16(bf16[1]), -3.0F);
  EXPECT_EQ(rules::widen_bf16(bf16[2]), 0.15625F);
  std::array<std::uint16_t, 2> f16{};
  source.read(*by_name.at("b.half"), 3, 2, std::as_writable_bytes(std::span(f16)));
  EXPECT_EQ(rules::widen_f16(f16[0]), 0.5F);
  EXPECT_EQ(rules::widen_f16(f16[1]), 1.5F);
}

TEST(Safetensors, CutAnywhereIsRefused) {
  const test::TemporaryFolder folder;
  const std::string bytes(reinterpret_cast<const char*>(kGolden.data()), kGolden.size());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    write_bytes(folder / "cut.safetensors", bytes.substr(0, length));
    ASSERT_NE(test::message_of([&] { (void)open_safetensors(folder / "cut.safetensors"); }), "")
        << length;
  }
}

/// A file that must be refused, and what the message must say.
struct Hostile {
  const char* name;
  std::string bytes;
  const char* says;
};
void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << hostile.name;
}

std::string one(const std::string& entry, const std::string& data) {
  return safetensors_bytes("{\"w\":" + entry + "}", data);
}

class HostileHeader : public testing::TestWithParam<Hostile> {};

TEST_P(HostileHeader, IsRefusedWithTheFileAndTheReason) {
  const test::TemporaryFolder folder;
  write_bytes(folder / "bad.safetensors", GetParam().bytes);
  const std::string message =
      test::message_of([&] { (void)open_safetensors(folder / "bad.safetensors"); });
  EXPECT_NE(message.find("bad.safetensors: "), std::string::npos) << message;
  EXPECT_NE(message.find(GetParam().says), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

const std::string k8(8, 'x');
const std::string kW = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";

INSTANTIATE_TEST_SUITE_P(
    Kinds, HostileHeader,
    testing::Values(
        Hostile{"Empty", "", "at least 8"}, Hostile{"Short", "1234567", "at least 8"},
        Hostile{"HeaderBeyondFile", safetensors_bytes("{}", "", 1000), "header of 1000 bytes"},
        Hostile{"HeaderHuge", std::string(8, '\xff') + "{}", "at most 2 expected"},
        Hostile{"HeaderEmpty", safetensors_bytes("", ""), "begin with '{'"},
        Hostile{"LeadingSpace", safetensors_bytes(" {}", ""), "begin with '{'"},
        Hostile{"NotAnObject", safetensors_bytes("[]", ""), "begin with '{'"},
        Hostile{"BadJson", safetensors_bytes("{\"a\":", ""), "not valid JSON"},
        Hostile{"TrailingGarbage", safetensors_bytes("{}x", ""), "not valid JSON"},
        Hostile{"NulAfterTheObject", safetensors_bytes(std::string("{}\0garbage", 10), ""), "NUL"},
        Hostile{"BadUtf8", safetensors_bytes("{\"\xff\xfe\":1}", ""), "not valid JSON"},
        Hostile{
            "TooDeep",
            safetensors_bytes("{\"w\":" + std::string(40, '[') + std::string(40, ']') + "}", ""),
            "deeper"},
        Hostile{"NameTwice", safetensors_bytes("{\"w\":" + kW + ",\"w\":" + kW + "}", k8), "twice"},
        Hostile{"MemberTwice",
                one(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})", k8),
                "twice"},
        Hostile{"EscapedTwice", safetensors_bytes("{\"w\":" + kW + ",\"\\u0077\":" + kW + "}", k8),
                "twice"},
        Hostile{"NulInName", safetensors_bytes("{\"a\\u0000b\":" + kW + "}", k8), "NUL"},
        Hostile{"EntryNotObject", one("3", ""), "not an object"},
        Hostile{"NoDtype", one(R"({"shape":[2],"data_offsets":[0,8]})", k8), "'dtype'"},
        Hostile{"NoShape", one(R"({"dtype":"F32","data_offsets":[0,8]})", k8), "'shape'"},
        Hostile{"NoOffsets", one(R"({"dtype":"F32","shape":[2]})", k8), "'data_offsets'"},
        Hostile{"UnknownDtype", one(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})", k8),
                "F8_E4M3"},
        Hostile{"DtypeNumber", one(R"({"dtype":1,"shape":[2],"data_offsets":[0,8]})", k8), "dtype"},
        Hostile{"ShapeFloat", one(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})", k8),
                "whole number"},
        Hostile{"ShapeExponent", one(R"({"dtype":"F32","shape":[2e0],"data_offsets":[0,8]})", k8),
                "whole number"},
        Hostile{"ShapeNegative", one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", k8),
                "whole number"},
        Hostile{"ShapeMinusZero", one(R"({"dtype":"F32","shape":[-0],"data_offsets":[0,0]})", ""),
                "whole number"},
        Hostile{"ShapeString", one(R"({"dtype":"F32","shape":"2","data_offsets":[0,8]})", k8),
                "shape"},
        Hostile{"ShapeBeyond63Bits",
                one(R"({"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]})", k8),
                "whole number"},
        Hostile{"ShapeBeyond64Bits",
                one(R"({"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]})", k8),
                "whole number"},
        Hostile{
            "ProductOverflows",
            one(R"({"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]})", k8),
            "larger than any"},
        Hostile{"BytesOverflow",
                one(R"({"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,8]})", k8),
                "larger than any"},
        Hostile{"SizeMismatch", one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", k8),
                "takes 12 bytes"},
        Hostile{"OffsetsReversed", one(R"({"dtype":"F32","shape":[0],"data_offsets":[8,0]})", k8),
                "data_offsets"},
        Hostile{"OffsetsThree", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})", k8),
                "pair"},
        Hostile{"OffsetFloat", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8.0]})", k8),
                "whole number"},
        Hostile{"BeyondTheFile",
                one(R"({"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]})", k8),
                "8 bytes of tensors"},
        Hostile{"TrailingBytes", one(kW, k8 + "y"), "9 bytes of tensors"},
        Hostile{"Hole", one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})", k8), "hole"},
        Hostile{"Overlap",
                safetensors_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                  R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                                  k8 + "zzzz"),
                "overlap"},
        Hostile{"MetadataNested", safetensors_bytes(R"({"__metadata__":{"a":{"b":"c"}}})", ""),
                "__metadata__"},
        Hostile{"MetadataNumber", safetensors_bytes(R"({"__metadata__":{"a":1}})", ""),
                "__metadata__"}),
    [](const auto& row) { return row.param.name; });

TEST(Safetensors, UnknownMembersAreIgnoredAsTheReferenceDoes) {
  const test::TemporaryFolder folder;
  write_bytes(folder / "m.safetensors",
              one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"note":{"a":[1]}})", k8));
  EXPECT_EQ(open_safetensors(folder / "m.safetensors").tensors.size(), 1U);
}

}  // namespace
}  // namespace koine::checkpoint
