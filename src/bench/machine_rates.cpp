#include "bench/machine_rates.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include <cblas.h>
#include <fmt/format.h>

#include "core/file.hpp"

namespace koine::bench {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20;
constexpr std::int64_t kSampled = 97;  // every 97th entry is checked

std::size_t as_size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

/// Numbers in [-1, 1) that repeat after a prime.
template <typename Real>
std::vector<Real> numbers(std::int64_t count, std::int64_t start) {
  std::vector<Real> made(as_size(count));
  for (std::int64_t i = 0; i < count; ++i)
    made[as_size(i)] = static_cast<Real>((i * 7919 + start) % 1009) / Real{504.5} - Real{1};
  return made;
}

template <typename Real>
struct Product {
  std::vector<Real> a, b, c;
};

/// Sampled entries of C = A B against plain dot products: |error| <= 2 n u sum |a b|.
template <typename Real>
bool is_product(const Product<Real>& p, std::int64_t order) {
  for (std::int64_t at = 0; at < order * order; at += 997 * kSampled) {
    const std::int64_t i = at / order, j = at % order;
    double sum = 0, size = 0;
    for (std::int64_t k = 0; k < order; ++k) {
      const double term =
          static_cast<double>(p.a[as_size(i * order + k)]) * p.b[as_size(k * order + j)];
      sum += term;
      size += std::abs(term);
    }
    const double unit = static_cast<double>(std::numeric_limits<Real>::epsilon());
    const double error = std::abs(static_cast<double>(p.c[as_size(at)]) - sum);
    if (!(error <= static_cast<double>(order) * unit * size)) return false;
  }
  return true;
}

void gemm(int n, Product<double>& p) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, p.a.data(), n, p.b.data(), n,
              0, p.c.data(), n);
}

void gemm(int n, Product<float>& p) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, p.a.data(), n, p.b.data(), n,
              0, p.c.data(), n);
}

template <typename Real>
Figure measure_gemm(std::int64_t order, const Timing& timing) {
  std::vector<Product<Real>> products;
  products.reserve(as_size(timing.threads));
  for (int thread = 0; thread < timing.threads; ++thread) {
    products.push_back({numbers<Real>(order * order, thread),
                        numbers<Real>(order * order, thread + 500),
                        std::vector<Real>(as_size(order * order))});
  }
  const Sample sample = measure(
      {[&](int thread) { gemm(static_cast<int>(order), products[as_size(thread)]); }, {}}, timing);
  Figure figure;
  figure.threads = timing.threads;
  figure.repeats = timing.repeats;
  figure.seconds = spread_of(sample);
  figure.work.flops = 2.0 * std::pow(static_cast<double>(order), 3);
  figure.is_checked = std::all_of(products.begin(), products.end(),
                                  [&](const auto& p) { return is_product(p, order); });
  return figure;
}

Figure figure_of_bytes(double bytes, const Timing& timing, const Sample& sample, bool is_checked) {
  Figure figure;
  figure.threads = timing.threads;
  figure.repeats = timing.repeats;
  figure.seconds = spread_of(sample);
  figure.work.bytes = bytes;
  figure.is_checked = is_checked;
  return figure;
}

std::vector<std::byte> pattern(std::int64_t count, int start) {
  std::vector<std::byte> made(as_size(count));
  for (std::size_t i = 0; i < made.size(); ++i)
    made[i] = static_cast<std::byte>((i * 131 + i / 251 + static_cast<std::size_t>(start)) & 0xFFU);
  return made;
}

std::filesystem::path file_of(const FileSize& file, int thread) {
  return file.folder / fmt::format("rate.{}", thread);
}

/// Calls work(offset, piece of `all`) for each piece in order.
template <typename Byte, typename Work>
void for_each_piece(std::span<Byte> all, Work&& work) {
  for (std::size_t at = 0; at < all.size(); at += kPiece)
    work(static_cast<std::int64_t>(at), all.subspan(at, std::min(kPiece, all.size() - at)));
}

void write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  File file = File::create(path);
  for_each_piece(
      bytes, [&](std::int64_t at, std::span<const std::byte> piece) { file.write_at(piece, at); });
  file.sync();
  file.close();
}

bool holds(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const File file = File::open_read(path);
  if (file.size() != static_cast<std::int64_t>(bytes.size())) return false;
  std::vector<std::byte> found(bytes.size());
  file.read_at(found, 0);
  return std::equal(bytes.begin(), bytes.end(), found.begin());
}

}  // namespace

Figure measure_dgemm(std::int64_t order, const Timing& timing) {
  Figure figure = measure_gemm<double>(order, timing);
  figure.dtype = "float64";
  return figure;
}

Figure measure_sgemm(std::int64_t order, const Timing& timing) {
  Figure figure = measure_gemm<float>(order, timing);
  figure.dtype = "float32";
  std::swap(figure.work.flops, figure.work.flops32);
  return figure;
}

Figure measure_triad(std::int64_t count, const Timing& timing) {
  constexpr double kScale = 3;
  std::vector<Product<double>> arrays;
  arrays.reserve(as_size(timing.threads));
  for (int thread = 0; thread < timing.threads; ++thread) {
    arrays.push_back({std::vector<double>(as_size(count)), numbers<double>(count, thread),
                      numbers<double>(count, thread + 500)});
  }
  const auto triad = [&](int thread) {
    Product<double>& p = arrays[as_size(thread)];
    double* __restrict__ a = p.a.data();
    const double* b = p.b.data();
    const double* c = p.c.data();
    for (std::int64_t i = 0; i < count; ++i) a[i] = b[i] + kScale * c[i];
  };
  const Sample sample = measure({triad, {}}, timing);
  bool is_checked = true;
  for (const Product<double>& p : arrays) {
    for (std::int64_t i = 0; i < count; i += kSampled)
      is_checked = is_checked && p.a[as_size(i)] == p.b[as_size(i)] + kScale * p.c[as_size(i)];
  }
  Figure figure = figure_of_bytes(24.0 * static_cast<double>(count), timing, sample, is_checked);
  figure.bench = "triad";
  figure.shape = {count};
  figure.dtype = "float64";
  figure.work.bytes *= timing.threads;
  return figure;
}

Figure measure_copy(std::int64_t bytes, const Timing& timing) {
  const std::int64_t count = bytes / 8;
  std::vector<std::vector<double>> from, to;
  for (int thread = 0; thread < timing.threads; ++thread) {
    from.push_back(numbers<double>(count, thread));
    to.emplace_back(as_size(count));
  }
  const auto by_memcpy = [&](int thread) {
    std::memcpy(to[as_size(thread)].data(), from[as_size(thread)].data(), as_size(bytes));
  };
  const double one = timing.threads > 0 ? 1 : 0;  // not known to the compiler: a loop stays a loop
  const auto by_loop = [&](int thread) {
    double* __restrict__ out = to[as_size(thread)].data();
    const double* in = from[as_size(thread)].data();
    for (std::int64_t i = 0; i < count; ++i) out[i] = in[i] * one;
  };
  const std::vector<Task> tasks{{by_memcpy, {}}, {by_loop, {}}};
  const std::vector<Sample> samples = measure(tasks, timing);
  const bool is_memcpy = spread_of(samples[0]).median <= spread_of(samples[1]).median;
  Figure figure = figure_of_bytes(2.0 * static_cast<double>(bytes), timing,
                                  samples[is_memcpy ? 0 : 1], from == to);
  figure.dtype = "float64";
  return figure;
}

Figure measure_page_cache_read(const FileSize& size, const Timing& timing) {
  const std::vector<std::byte> content = pattern(size.bytes, 1);
  const std::filesystem::path path = file_of(size, 0);
  write_whole(path, content);
  const File file = File::open_read(path);
  std::vector<std::vector<std::byte>> pieces(as_size(timing.threads),
                                             std::vector<std::byte>(kPiece));
  const auto read = [&](int thread) {
    for (std::int64_t at = 0; at < size.bytes; at += static_cast<std::int64_t>(kPiece)) {
      const std::size_t count = std::min(kPiece, as_size(size.bytes - at));
      file.read_at(std::span(pieces[as_size(thread)]).first(count), at);
    }
  };
  const Sample sample = measure({read, {}}, timing);
  const std::size_t last = (content.size() - 1) / kPiece * kPiece;
  const bool is_checked =
      std::all_of(pieces.begin(), pieces.end(), [&](const std::vector<std::byte>& piece) {
        return std::equal(content.begin() + static_cast<std::ptrdiff_t>(last), content.end(),
                          piece.begin());
      });
  std::filesystem::remove(path);
  return figure_of_bytes(static_cast<double>(size.bytes), timing, sample, is_checked);
}

Figure measure_write_fsync(const FileSize& size, const Timing& timing) {
  const std::vector<std::byte> content = pattern(size.bytes, 2);
  const auto remove = [&](int thread) { std::filesystem::remove(file_of(size, thread)); };
  const auto write = [&](int thread) { write_whole(file_of(size, thread), content); };
  const Sample sample = measure({write, remove}, timing);
  bool is_checked = true;
  for (int thread = 0; thread < timing.threads; ++thread) {
    is_checked = is_checked && holds(file_of(size, thread), content);
    remove(thread);
  }
  return figure_of_bytes(static_cast<double>(size.bytes), timing, sample, is_checked);
}

}  // namespace koine::bench
