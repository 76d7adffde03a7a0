#include "checkpoint/pickle.hpp"

#include <ostream>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/pickle_text.hpp"
#include "support/temporary_folder.hpp"

namespace koine::checkpoint::pickle {
namespace {

namespace pk = test::pk;

std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

Document read(const std::string& bytes) {
  return parse(bytes, "x.pt: a/data.pkl");
}

TEST(Pickle, ReadsEveryPlainValue) {
  std::string bytes =
      pk::kProto + "](K\x07M\x01\x02J\xff\xff\xff\xff\x8a\x01\xfe\x8a" + std::string(1, '\0');
  bytes += "G\x3f\xf8" + std::string(6, '\0') + "N\x88\x89U\x02hi\x8c\x02hoe.";
  const Document document = read(bytes);
  const auto* items = document.get<List>(document.root);
  ASSERT_NE(items, nullptr);
  ASSERT_EQ(items->items.size(), 11U);
  const auto integer = [&](std::size_t i) { return *document.get<std::int64_t>(items->items[i]); };
  EXPECT_EQ(integer(0), 7);
  EXPECT_EQ(integer(1), 0x201);
  EXPECT_EQ(integer(2), -1);
  EXPECT_EQ(integer(3), -2);
  EXPECT_EQ(integer(4), 0);
  EXPECT_EQ(*document.get<double>(items->items[5]), 1.5);
  EXPECT_NE(document.get<None>(items->items[6]), nullptr);
  EXPECT_TRUE(*document.get<bool>(items->items[7]));
  EXPECT_EQ(*document.get<std::string>(items->items[10]), "ho");
}

TEST(Pickle, RemembersAndFramesAsProtocol4Does) {
  std::string bytes = "\x80\x04\x95" + pk::little(9, 8);
  bytes +=
      "]\x94(\x8c\x01w\x94h\x01"
      "e.";
  const Document document = read(bytes);
  const auto* items = document.get<List>(document.root);
  ASSERT_EQ(items->items.size(), 2U);
  EXPECT_EQ(items->items[0], items->items[1]);
}

TEST(Pickle, BuildsAViewOfAStorage) {
  const Document document = read(pk::state_dict(
      pk::tensor(pk::storage("HalfStorage", "k", 8), 1, "K\x02K\x03", "K\x01K\x02")));
  ASSERT_EQ(document.tensors.size(), 1U);
  EXPECT_EQ(document.storages[0].key, "k");
  EXPECT_EQ(document.storages[0].bytes(), 16);
  EXPECT_EQ(document.tensors[0].dtype, DType::f16);
  EXPECT_EQ(document.tensors[0].offset, 1);
  EXPECT_EQ(document.tensors[0].shape, (Shape{2, 3}));
  EXPECT_EQ(document.tensors[0].strides, (std::vector<std::int64_t>{1, 2}));
}

TEST(Pickle, NamesTheForbiddenGlobalAndItsByte) {
  const std::string message = test::message_of([] {
    (void)read(pk::kProto + pk::global("posix", "system") + pk::text("touch x") + "\x85R.");
  });
  EXPECT_NE(message.find("posix.system"), std::string::npos) << message;
  EXPECT_NE(message.find("x.pt: a/data.pkl: at byte 2"), std::string::npos) << message;
}

struct Abuse {
  const char* name;
  std::string bytes;
  const char* message;
};
std::ostream& operator<<(std::ostream& out, const Abuse& abuse) {
  return out << abuse.name;
}

void expect_refused(const std::string& bytes, const std::string& reason) {
  EXPECT_THROW((void)read(bytes), InputError);
  const std::string message = test::message_of([&] { (void)read(bytes); });
  EXPECT_NE(message.find(reason), std::string::npos) << message;
}

class HostilePickle : public testing::TestWithParam<Abuse> {};

TEST_P(HostilePickle, IsRefused) {
  expect_refused(GetParam().bytes, GetParam().message);
}

const std::string kFloat6 = pk::storage("FloatStorage", "0", 6);
const std::string kHuge = pk::integer(INT64_MAX);

std::string tensor_pickle(std::int64_t offset, const std::string& sizes,
                          const std::string& strides) {
  return pk::state_dict(pk::tensor(kFloat6, offset, sizes, strides));
}

const std::vector<Abuse> kAbuses{
    {"empty", "", "cut short"},
    {"no_protocol", "}.", "protocol"},
    {"protocol_1", "\x80\x01}.", "protocol 1"},
    {"protocol_6", "\x80\x06}.", "protocol 6"},
    {"os_system", pk::kProto + pk::global("os", "system") + pk::text("true") + "\x85R.",
     "os.system"},
    {"builtins_eval", pk::kProto + pk::global("builtins", "eval") + pk::text("1") + "\x85R.",
     "builtins.eval"},
    {"stack_global_exec",
     "\x80\x04\x8c\x08"
     "builtins\x8c\x04"
     "exec\x93.",
     "builtins.exec"},
    {"allowed_name_of_another_module",
     pk::kProto + pk::global("torch.storage", "FloatStorage") + ".", "torch.storage.FloatStorage"},
    {"global_steers_the_terminal", pk::kProto + pk::global("a\x1b[2J", "b") + ".", "a?[2J.b"},
    {"stack_global_of_numbers", "\x80\x04K\x01K\x02\x93.", "expected a string"},
    {"global_without_an_end", pk::kProto + "c" + std::string(5000, 'a'), "without an end"},
    {"inst_opcode", pk::kProto + "(ios\nsystem\n.", "opcode 0x69"},
    {"obj_opcode", pk::kProto + "(o.", "opcode 0x6f"},
    {"ext_opcode", pk::kProto + "\x82\x01.", "opcode 0x82"},
    {"newobj_ex_opcode", pk::kProto + "})}\x92.", "opcode 0x92"},
    {"text_persistent_id", pk::kProto + "Pstorage\n.", "opcode 0x50"},
    {"bytes_opcode",
     "\x80\x03"
     "C\x01"
     "a.",
     "opcode 0x43"},
    {"reduce_of_a_string", pk::kProto + pk::text("system") + ")R.", "works on a string"},
    {"reduce_of_a_tensor", pk::kProto + pk::matrix() + ")R.", "works on a tensor"},
    {"reduce_with_a_list", pk::kProto + pk::global("collections", "OrderedDict") + "]R.",
     "a tuple of arguments"},
    {"ordered_dict_of_arguments", pk::kProto + pk::global("collections", "OrderedDict") + "]\x85R.",
     "from arguments"},
    {"call_of_a_storage_class", pk::kProto + pk::global("torch", "FloatStorage") + ")R.",
     "storage class"},
    {"call_of_a_dtype", pk::kProto + pk::global("torch", "float32") + ")R.", "dtype"},
    {"new_object_of_a_function",
     pk::kProto + pk::global("torch._utils", "_rebuild_tensor_v2") + ")\x81.",
     "object of a function"},
    {"build_of_a_tensor", pk::kProto + pk::matrix() + "}b.", "expected an OrderedDict"},
    {"build_with_a_list", pk::kProto + "}]b.", "a dict of attributes"},
    {"setitem_on_a_list", pk::kProto + "]K\x01K\x02s.", "works on a list"},
    {"setitems_on_a_list", pk::kProto + "](K\x01K\x02u.", "works on a list"},
    {"setitem_on_a_storage", pk::kProto + kFloat6 + "K\x01K\x02s.", "works on a storage"},
    {"setitems_of_odd_number", pk::kProto + "}(K\x01u.", "key without a value"},
    {"key_is_a_list", pk::kProto + "}]Ns.", "uses a list as a key"},
    {"key_is_a_dict_itself", pk::kProto + "}q\x01h\x01Ns.", "uses a dict as a key"},
    {"append_on_a_dict", pk::kProto + "}Na.", "works on a dict"},
    {"appends_on_a_tuple", pk::kProto + ")(Ne.", "works on a tuple"},
    {"persistent_id_is_a_string", pk::kProto + pk::text("storage") + "Q.", "no tuple of five"},
    {"persistent_id_of_four", pk::kProto + "(" + pk::text("storage") + "NNNtQ.",
     "no tuple of five"},
    {"persistent_id_of_a_module", pk::kProto + "(" + pk::text("module") + "NNNNtQ.",
     "not that of a storage"},
    {"persistent_id_with_a_dtype",
     pk::kProto + "(" + pk::text("storage") + pk::global("torch", "float32") + "NNNtQ.",
     "no storage class"},
    {"storage_of_negative_size", pk::kProto + pk::storage("FloatStorage", "0", -1) + ".",
     "is said to have"},
    {"storage_of_absurd_size", pk::kProto + pk::storage("FloatStorage", "0", INT64_MAX) + ".",
     "is said to have"},
    {"negative_offset", tensor_pickle(-1, "K\x02", "K\x01"), "impossible"},
    {"negative_size", tensor_pickle(0, pk::integer(-2), "K\x01"), "integers >= 0"},
    {"negative_stride", tensor_pickle(5, "K\x02", pk::integer(-1)), "integers >= 0"},
    {"size_is_a_string", tensor_pickle(0, pk::text("2"), "K\x01"), "integers >= 0"},
    {"fewer_strides_than_sizes", tensor_pickle(0, "K\x02K\x03", "K\x01"), "number of strides"},
    {"view_leaves_its_storage", tensor_pickle(0, "K\x07", "K\x01"), "leaves its storage"},
    {"offset_leaves_its_storage", tensor_pickle(6, "K\x01", "K\x01"), "leaves its storage"},
    {"offset_of_an_empty_tensor", tensor_pickle(7, pk::integer(0), "K\x01"), "leaves its storage"},
    {"stride_leaves_its_storage", tensor_pickle(0, "K\x02", "K\x06"), "leaves its storage"},
    {"strides_overflow", tensor_pickle(0, "K\x02K\x03", kHuge + kHuge), "impossible strides"},
    {"shape_overflows", tensor_pickle(0, kHuge + kHuge, pk::integer(0) + pk::integer(0)),
     "impossible shape"},
    {"expanded_view_as_bomb", tensor_pickle(0, pk::integer(std::int64_t{1} << 40), pk::integer(0)),
     "expanded view"},
    {"too_many_axes", tensor_pickle(0, repeat("K\x01", 65), repeat("K\x01", 65)), "65 axes"},
    {"tensor_of_two_arguments",
     pk::kProto + pk::global("torch._utils", "_rebuild_tensor_v2") + "K\x01K\x01\x86R.", "2 parts"},
    {"tensor_without_a_storage", pk::state_dict(pk::tensor("K\x01", 0, "K\x01", "K\x01")),
     "expected a storage"},
    {"v2_of_an_untyped_storage",
     pk::state_dict(pk::tensor(pk::storage("UntypedStorage", "0", 6), 0, "K\x01", "K\x01")),
     "untyped"},
    {"parameter_of_a_string",
     pk::kProto + pk::global("torch._utils", "_rebuild_parameter") + "(" + pk::text("w") +
         "\x88}tR.",
     "expected a tensor"},
    {"size_of_a_string", pk::kProto + pk::global("torch", "Size") + pk::text("w") + "\x85R.",
     "expected a tuple"},
    {"string_beyond_the_end", pk::kProto + "X\xff\xff\x00", "cut short"},
    {"string_of_4_gigabytes", pk::kProto + "X\xff\xff\xff\xff", "at most 65536"},
    {"string_of_65537_bytes", pk::kProto + pk::text(std::string(65537, 'x')) + ".",
     "at most 65536"},
    {"integer_of_9_bytes", pk::kProto + "\x8a\x09" + std::string(9, '\1') + ".", "64 bits"},
    {"stack_is_empty", pk::kProto + "R.", "empty stack"},
    {"pops_below_a_mark", pk::kProto + "K\x01(\x85.", "empty stack"},
    {"tuple_without_a_mark", pk::kProto + "t.", "not opened"},
    {"mark_left_open", pk::kProto + "K\x01(.", "open groups"},
    {"two_values_left", pk::kProto + "K\x01K\x01.", "2 values"},
    {"nothing_left", pk::kProto + ".", "0 values"},
    {"no_stop", pk::kProto + "}", "cut short"},
    {"second_pickle_behind", pk::kProto + "}." + pk::kProto + "}.", "4 bytes follow"},
    {"memo_never_kept", pk::kProto + "h\x05.", "never kept"},
    {"remembers_nothing", pk::kProto + "q\x01.", "empty stack"},
    {"frame_beyond_the_end", "\x80\x04\x95" + pk::little(UINT64_MAX, 8) + "}.", "frame"},
    {"deep_tuples", pk::kProto + ")" + repeat("\x85", 100000) + ".", "levels"},
    {"deep_lists", pk::kProto + repeat("]", 1000) + repeat("a", 999) + ".", "levels"},
    {"deep_marks", pk::kProto + repeat("(", 100000) + ".", "open groups"},
    // Doubling tuples: 2^n leaves for Python's eyes, n values for ours; ends at the depth limit.
    {"billion_laughs", pk::kProto + "Nq\x01" + repeat("h\x01h\x01\x86q\x01", 100) + ".", "levels"},
};
INSTANTIATE_TEST_SUITE_P(Pickle, HostilePickle, testing::ValuesIn(kAbuses),
                         [](const auto& row) { return row.param.name; });

// Megabytes each: made when they are asked for, not as rows at every start of the program.
TEST(PickleBomb, OfRememberedValuesIsRefused) {
  std::string all;
  for (std::uint32_t i = 0; i < 2'000'001; ++i) all += "r" + pk::little(0xFFFFFFFFU - i, 4);
  expect_refused(pk::kProto + "N" + all + ".", "remembered values");
}

TEST(PickleBomb, OnTheStackIsRefused) {
  expect_refused(pk::kProto + "Nq\x01" + repeat("h\x01", 2'000'001) + ".", "on the stack");
}

TEST(PickleBomb, OfValuesIsRefused) {
  expect_refused(pk::kProto + repeat("]", 2'000'001) + ".", "values");
}

TEST(Pickle, ACycleIsHarmless) {
  const Document document = read(pk::kProto +
                                 "]q\x01h\x01"
                                 "a.");
  EXPECT_EQ(document.get<List>(document.root)->items.front(), document.root);
}

TEST(Pickle, RefusesEveryTruncation) {
  const std::string bytes = pk::state_dict(pk::matrix());
  EXPECT_NO_THROW((void)read(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW((void)read(bytes.substr(0, size)), InputError) << size;
  }
}

}  // namespace
}  // namespace koine::checkpoint::pickle
