#include "support/small_run.hpp"

#include <fstream>
#include <iterator>

#include "core/file.hpp"

namespace koine::test {
namespace {

namespace fs = std::filesystem;

void add_shard(store::Manifest& manifest, const fs::path& run, const std::string& shard,
               const std::vector<store::ShardTensor>& tensors) {
  const store::ShardSeal seal = write_shard(run / shard, tensors);
  manifest.files.push_back({shard, seal.size, seal.sha256});
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    manifest.tensors.push_back({tensors[i].name, tensors[i].name, shard, tensors[i].dtype,
                                tensors[i].shape, seal.tensors[i].offset, seal.tensors[i].sha256});
  }
}

void add_file(store::Manifest& manifest, const fs::path& run, const std::string& path) {
  manifest.files.push_back(
      {path, static_cast<std::int64_t>(fs::file_size(run / path)), store::hash_file(run / path)});
}

}  // namespace

std::vector<std::byte> pattern(const store::ShardTensor& tensor, std::size_t index) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(tensor.bytes()));
  // 0x3B in every second byte keeps 16-bit floats finite, and float32 and float64 with them.
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(i % 2 != 0 ? 0x3B : (i * 7 + index * 31) & 0xFFU);
    if (tensor.dtype == DType::boolean) bytes[i] = static_cast<std::byte>(i % 3 == 0 ? 1 : 0);
  }
  return bytes;
}

std::vector<store::ShardTensor> every_kind() {
  return {{"weight.float64", DType::f64, {3, 5}}, {"weight.float32", DType::f32, {40, 33}},
          {"weight.float16", DType::f16, {7, 9}}, {"weight.bfloat16", DType::bf16, {8, 4, 3}},
          {"count.int64", DType::i64, {2}},       {"count.int32", DType::i32, {3}},
          {"count.int16", DType::i16, {3}},       {"count.int8", DType::i8, {5}},
          {"count.uint64", DType::u64, {1}},      {"count.uint32", DType::u32, {2}},
          {"count.uint16", DType::u16, {4}},      {"count.uint8", DType::u8, {4096}},
          {"mask.bool", DType::boolean, {11}},    {"scalar.float32", DType::f32, {}},
          {"empty.float32", DType::f32, {0, 4}}};
}

store::ShardSeal write_shard(const fs::path& path, const std::vector<store::ShardTensor>& tensors) {
  make_folders(path.parent_path());
  store::ShardWriter writer(path, path.stem().string(), tensors);
  for (std::size_t i = 0; i < tensors.size(); ++i) writer.write(i, 0, pattern(tensors[i], i));
  return writer.publish(2);
}

store::Manifest write_small_run(const fs::path& run) {
  store::Manifest manifest;
  manifest.recipe = R"({"merge_method":"lors","parameters":{"lambda":0.2}})";
  manifest.inputs = R"([{"path":"base","naming":"hf"}])";
  manifest.arithmetic = R"({"backend":"cpu","engine":1})";
  manifest.naming = checkpoint::Naming::openai;
  manifest.dims = checkpoint::ModelDims{80, 51865, 1500, 384, 6, 4, 448, 384, 6, 4};
  make_folders(run / "files");
  make_folders(run / ".koine");
  add_shard(manifest, run, "shards/encoder.000.h5", every_kind());
  add_shard(manifest, run, "shards/rest.h5",
            {{"ln.weight", DType::f32, {16}}, {"ln.bias", DType::f32, {16}}});
  for (const char* name :
       {"run.log", "timing.json", ".koine/lock", "report.json", "files/config.json"}) {
    put_bytes(run / name, std::string("{\"of\": \"") + name + "\"}\n");
  }
  store::write_master(run, manifest.tensors);
  for (const char* name : {"model.h5", "report.json", "files/config.json"})
    add_file(manifest, run, name);
  store::write_manifest(run, manifest);
  return manifest;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void put_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace koine::test
