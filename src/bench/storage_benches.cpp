#include <algorithm>

#include <fmt/format.h>

#include "bench/benches.hpp"
#include "checkpoint/source.hpp"
#include "checkpoint/write_safetensors.hpp"
#include "core/hash.hpp"
#include "core/thread_pool.hpp"
#include "store/shard_writer.hpp"

namespace koine::bench {
namespace {

constexpr const char* kName = "model.decoder.layers.0.fc1.weight";

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

std::span<const std::byte> bytes_of(const std::vector<float>& values) {
  return std::as_bytes(std::span(values));
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

template <typename Hash>
std::string hex_of(std::span<const std::byte> bytes, std::size_t piece) {
  Hash hash;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    hash.update(bytes.subspan(at, std::min(piece, bytes.size() - at)));
  return hash.hex();
}

/// Hashes every thread's expert. Checked: the published digest of "abc", and the same digest in
/// pieces of another size.
template <typename Hash>
void bench_hash(Lab& lab, const Label& label, const std::string& digest_of_abc) {
  const Matrices& in = lab.matrices(label.shape, label.threads);
  std::vector<std::string> found(in.experts.size());
  const auto run = [&](int thread) {
    const auto bytes = bytes_of(in.experts[as_size(thread)]);
    found[as_size(thread)] = hex_of<Hash>(bytes, bytes.size());
  };
  const Sample sample = measure({run, {}}, lab.timing(label.threads));
  bool is_checked = hex_of<Hash>(bytes_of("abc"), 3) == digest_of_abc;
  for (std::size_t t = 0; t < found.size(); ++t)
    is_checked = is_checked && hex_of<Hash>(bytes_of(in.experts[t]), 4099) == found[t];
  const double bytes = 4 * static_cast<double>(in.count());
  lab.report(label, sample, {.bytes = bytes}, is_checked);
}

/// Of bytes moved by all threads; by the clock alone: a file's time is not all the CPU's.
Bound bound_of(const char* name, const Rate& rate, double bytes) {
  return {name, 0, rate.per_second, bytes / rate.per_second, 0};
}

}  // namespace

void bench_fingerprint(Lab& lab, const Shape& shape, int threads) {
  bench_hash<Fingerprint>(lab, {"fingerprint", "float32", shape, threads},
                          "06b05ab6733a618578af5f94892f3950");
}

void bench_sha256(Lab& lab, const Shape& shape, int threads) {
  bench_hash<Sha256>(lab, {"sha256", "float32", shape, threads},
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

void bench_read_tensor(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  const std::filesystem::path path = lab.options().folder / "tensor.safetensors";
  const auto content = bytes_of(in.base);
  checkpoint::write_safetensors(path, {{kName, DType::f32, shape}}, {{"format", "pt"}},
                                [&](std::size_t, std::int64_t offset, std::span<std::byte> out) {
                                  const auto piece = content.subspan(as_size(offset), out.size());
                                  std::copy(piece.begin(), piece.end(), out.begin());
                                });
  Figure figure{"read_tensor", "float32", shape, threads, lab.options().repeats};
  {
    const checkpoint::Checkpoint header = checkpoint::open(path.string());
    const checkpoint::Source source(header);
    const checkpoint::TensorInfo& tensor = header.tensors.front();
    std::vector<std::vector<std::byte>> read(as_size(threads),
                                             std::vector<std::byte>(content.size()));
    const auto run = [&](int thread) {
      source.read(tensor, 0, tensor.count(), read[as_size(thread)]);
    };
    figure.seconds = spread_of(measure({run, {}}, lab.timing(threads)));
    figure.is_checked = std::all_of(read.begin(), read.end(), [&](const auto& found) {
      return std::equal(content.begin(), content.end(), found.begin(), found.end());
    });
  }
  std::filesystem::remove(path);
  figure.work.bytes = static_cast<double>(content.size()) * threads;
  figure.bound = bound_of("page_cache_read", lab.page_cache_rate(threads), figure.work.bytes);
  lab.report(figure);
}

void bench_write_shard(Lab& lab, const Shape& shape, int threads) {
  const Matrices& in = lab.matrices(shape, threads);
  const std::filesystem::path path = lab.options().folder / "shard.h5";
  std::vector<store::ShardTensor> tensors;
  tensors.reserve(as_size(threads));
  for (int t = 0; t < threads; ++t)
    tensors.push_back({fmt::format("tensor.{}", t), DType::f32, shape});
  store::ShardSeal seal;
  const auto write = [&](int) {  // as a merge does: one shard, its tensors by several threads
    store::ShardWriter writer(path, "bench", tensors);
    parallel_for(threads, threads, [&](std::int64_t t, int) {
      writer.write(as_size(t), 0, bytes_of(in.experts[as_size(t)]));
    });
    seal = writer.publish(threads);
  };
  const auto remove = [&](int) { std::filesystem::remove(path); };
  Timing timing = lab.timing(1);
  Figure figure{"write_shard", "float32", shape, threads, timing.repeats};
  figure.seconds = spread_of(measure({write, remove}, timing));
  figure.seconds.cpu /= threads;
  figure.is_checked = store::hash_file(path) == seal.sha256;
  for (std::size_t t = 0; t < in.experts.size(); ++t) {
    const auto bytes = bytes_of(in.experts[t]);
    figure.is_checked =
        figure.is_checked && hex_of<Sha256>(bytes, bytes.size()) == seal.tensors[t].sha256;
  }
  remove(0);
  figure.work.bytes = 4 * static_cast<double>(in.count()) * threads;
  figure.bound = bound_of("write_fsync", lab.write_rate(threads), figure.work.bytes);
  lab.report(figure);
}

}  // namespace koine::bench
