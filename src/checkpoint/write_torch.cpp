#include "checkpoint/write_torch.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "checkpoint/little_endian.hpp"
#include "checkpoint/zip_writer.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

namespace koine::checkpoint {
namespace {

constexpr std::array<std::pair<DType, std::string_view>, 10> kStorages{
    {{DType::f64, "DoubleStorage"},
     {DType::f32, "FloatStorage"},
     {DType::f16, "HalfStorage"},
     {DType::bf16, "BFloat16Storage"},
     {DType::i64, "LongStorage"},
     {DType::i32, "IntStorage"},
     {DType::i16, "ShortStorage"},
     {DType::i8, "CharStorage"},
     {DType::u8, "ByteStorage"},
     {DType::boolean, "BoolStorage"}}};

std::string_view storage_class(const OutTensor& tensor) {
  const auto row = std::find_if(kStorages.begin(), kStorages.end(),
                                [&tensor](const auto& r) { return r.first == tensor.dtype; });
  if (row == kStorages.end()) {
    throw InputError(fmt::format(
        "tensor '{}': an OpenAI checkpoint cannot hold {}; export as hf, or choose another dtype",
        tensor.name, recipe_name(tensor.dtype)));
  }
  return row->second;
}

/// Opcodes of pickle protocol 2, one function for each thing that is written.
class Pickle {
 public:
  Pickle() : bytes_("\x80\x02") {}

  Pickle& op(std::string_view opcodes) {
    bytes_ += opcodes;
    return *this;
  }
  Pickle& text(std::string_view value) {
    bytes_ += 'X';
    append_little(bytes_, static_cast<std::uint32_t>(value.size()));
    return op(value);
  }
  Pickle& integer(std::int64_t value) {
    const bool is_short = value >= INT32_MIN && value <= INT32_MAX;
    bytes_ += is_short ? std::string_view("J") : std::string_view("\x8a\x08");
    if (is_short)
      append_little(bytes_, static_cast<std::uint32_t>(value));
    else
      append_little(bytes_, static_cast<std::uint64_t>(value));
    return *this;
  }
  Pickle& global(std::string_view module, std::string_view name) {
    return op("c").op(module).op("\n").op(name).op("\n");
  }
  Pickle& integers(const std::vector<std::int64_t>& values) {
    op("(");
    for (const std::int64_t value : values) integer(value);
    return op("t");
  }
  Pickle& ordered_dict() { return global("collections", "OrderedDict").op(")R"); }

  [[nodiscard]] std::string finish() && { return std::move(op(".").bytes_); }

 private:
  std::string bytes_;
};

void add_dims(Pickle& pickle, const ModelDims& dims) {
  pickle.text("dims").op("}(");
  pickle.text("n_mels").integer(dims.n_mels).text("n_vocab").integer(dims.n_vocab);
  pickle.text("n_audio_ctx").integer(dims.n_audio_ctx);
  pickle.text("n_audio_state").integer(dims.n_audio_state);
  pickle.text("n_audio_head").integer(dims.n_audio_head);
  pickle.text("n_audio_layer").integer(dims.n_audio_layer);
  pickle.text("n_text_ctx").integer(dims.n_text_ctx);
  pickle.text("n_text_state").integer(dims.n_text_state);
  pickle.text("n_text_head").integer(dims.n_text_head);
  pickle.text("n_text_layer").integer(dims.n_text_layer).op("u");
}

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    strides[axis - 1] = strides[axis] * std::max<std::int64_t>(1, shape[axis]);
  }
  return strides;
}

/// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
void add_tensor(Pickle& pickle, const OutTensor& tensor, std::size_t key) {
  pickle.text(tensor.name).global("torch._utils", "_rebuild_tensor_v2").op("((");
  pickle.text("storage").global("torch", storage_class(tensor));
  pickle.text(std::to_string(key)).text("cpu").integer(numel(tensor.shape)).op("tQ");
  pickle.integer(0).integers(tensor.shape).integers(row_major_strides(tensor.shape));
  pickle.op("\x89").ordered_dict().op("tR");
}

std::string pickle_of(const ModelDims& dims, const std::vector<OutTensor>& tensors) {
  Pickle pickle;
  pickle.op("}(");
  add_dims(pickle, dims);
  pickle.text("model_state_dict").ordered_dict().op("(");
  for (std::size_t i = 0; i < tensors.size(); ++i) add_tensor(pickle, tensors[i], i);
  return std::move(pickle.op("uu")).finish();
}

void append_tensor(ZipWriter& zip, std::size_t index, std::int64_t bytes,
                   const ByteSource& source) {
  std::vector<std::byte> piece;
  for (std::int64_t done = 0; done < bytes; done += kPieceBytes) {
    piece.resize(static_cast<std::size_t>(std::min(kPieceBytes, bytes - done)));
    source(index, done, piece);
    zip.append(piece);
  }
}

/// Without a source the bytes of tensors are only counted.
void write_archive(ZipWriter& zip, const std::string& pickle, const std::vector<OutTensor>& tensors,
                   const ByteSource& source) {
  zip.add("archive/data.pkl", pickle);
  zip.add("archive/byteorder", "little");
  for (std::size_t index = 0; index < tensors.size(); ++index) {
    const std::int64_t bytes = tensors[index].bytes();
    zip.begin(fmt::format("archive/data/{}", index), bytes);
    if (source)
      append_tensor(zip, index, bytes, source);
    else
      zip.skip(bytes);
    zip.end();
  }
  zip.add("archive/version", "3\n");
  zip.finish();
}

}  // namespace

std::int64_t openai_checkpoint_size(const ModelDims& dims, const std::vector<OutTensor>& tensors) {
  const File nowhere;
  ZipWriter zip(nowhere);
  write_archive(zip, pickle_of(dims, tensors), tensors, {});
  return zip.size();
}

void write_openai_checkpoint(const std::filesystem::path& path, const ModelDims& dims,
                             const std::vector<OutTensor>& tensors, const ByteSource& source) {
  const std::string pickle = pickle_of(dims, tensors);
  std::filesystem::path temporary = path;
  temporary += fmt::format(".tmp.{}", ::getpid());
  try {
    File file = File::create(temporary);
    ZipWriter zip(file);
    write_archive(zip, pickle, tensors, source);
    file.sync();
    file.close();
    publish_file(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace koine::checkpoint
