#pragma once

#include <cstdint>
#include <filesystem>

#include "bench/measure.hpp"

/// The machine's own rates: what the kernels' figures are held against. Each thread works on data
/// of its own.
namespace koine::bench {

struct FileSize {
  std::filesystem::path folder;
  std::int64_t bytes = 0;  ///< of each thread's file
};

/// C = A B, float64, [order, order], one BLAS thread each: 2 order^3 flops.
[[nodiscard]] Figure measure_dgemm(std::int64_t order, const Timing& timing);
[[nodiscard]] Figure measure_sgemm(std::int64_t order, const Timing& timing);
/// a_i = b_i + s c_i in float64: 24 bytes an element.
[[nodiscard]] Figure measure_triad(std::int64_t count, const Timing& timing);
/// So many bytes copied, twice as many moved: by memcpy or by a plain loop, whichever is faster
/// here (memcpy goes round the caches where buffers are large).
[[nodiscard]] Figure measure_copy(std::int64_t bytes, const Timing& timing);
/// A file that is in the page cache, read in pieces through core/file.
[[nodiscard]] Figure measure_page_cache_read(const FileSize& file, const Timing& timing);
/// A new file written in pieces, then fsync.
[[nodiscard]] Figure measure_write_fsync(const FileSize& file, const Timing& timing);

}  // namespace koine::bench
