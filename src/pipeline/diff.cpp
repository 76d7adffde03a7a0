#include "pipeline/diff.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "backend/to_double.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/source.hpp"
#include "core/stop.hpp"
#include "core/thread_pool.hpp"

namespace koine::pipeline {
namespace {

using checkpoint::Checkpoint;
using checkpoint::Source;
using checkpoint::TensorInfo;

constexpr std::int64_t kPiece = 1 << 18;  // elements

/// The tensor of that name, or the token embedding in place of a tied output that was left out.
const TensorInfo* counterpart(const Checkpoint& checkpoint, const std::string& canonical) {
  const TensorInfo* found = checkpoint.find(canonical);
  if (found == nullptr && canonical == checkpoint::kTiedOutput)
    found = checkpoint.find(checkpoint::kTokenEmbedding);
  return found;
}

double distance(double x, double y) {
  if (x == y || (std::isnan(x) && std::isnan(y))) return 0;
  const double difference = std::abs(x - y);
  return std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
}

struct Side {
  const Source& source;
  const TensorInfo& tensor;
  std::vector<std::byte> bytes;
  std::vector<double> values;

  void read(std::int64_t first, std::int64_t count) {
    bytes.resize(static_cast<std::size_t>(count * size_of(tensor.dtype)));
    source.read(tensor, first, count, bytes);
  }
  void widen(std::int64_t count) {
    values.resize(static_cast<std::size_t>(count));
    backend::to_double({tensor.dtype, bytes}, values);
  }
};

void compare_piece(const Side& a, const Side& b, std::int64_t first, double tolerance,
                   TensorDiff& diff) {
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double d = distance(a.values[i], b.values[i]);
    diff.beyond += d > tolerance ? 1 : 0;
    if (d <= diff.largest) continue;
    diff.largest = d;
    diff.at = first + static_cast<std::int64_t>(i);
  }
}

void compare_values(Side a, Side b, double tolerance, TensorDiff& diff) {
  const std::int64_t count = a.tensor.count();
  for (std::int64_t first = 0; first < count; first += kPiece) {
    throw_if_stopped();
    const std::int64_t length = std::min(kPiece, count - first);
    a.read(first, length);
    b.read(first, length);
    if (a.tensor.dtype == b.tensor.dtype && a.bytes == b.bytes) continue;
    a.widen(length);
    b.widen(length);
    compare_piece(a, b, first, tolerance, diff);
  }
  if (diff.beyond > 0) diff.comparison = Comparison::differs;
}

/// Everything but the values.
TensorDiff compare_headers(const Checkpoint& a, const Checkpoint& b, const std::string& canonical) {
  TensorDiff diff;
  diff.canonical = canonical;
  const TensorInfo* in_a = counterpart(a, canonical);
  const TensorInfo* in_b = counterpart(b, canonical);
  if (in_a != nullptr) diff.dtype_a = in_a->dtype, diff.shape_a = in_a->shape;
  if (in_b != nullptr) diff.dtype_b = in_b->dtype, diff.shape_b = in_b->shape;
  if (in_b == nullptr)
    diff.comparison = Comparison::only_in_a;
  else if (in_a == nullptr)
    diff.comparison = Comparison::only_in_b;
  else if (in_a->shape != in_b->shape)
    diff.comparison = Comparison::shape_differs;
  return diff;
}

void note_dtypes(DiffReport& report) {
  const auto other = std::count_if(
      report.tensors.begin(), report.tensors.end(),
      [](const TensorDiff& t) { return t.dtype_a && t.dtype_b && t.dtype_a != t.dtype_b; });
  if (other > 0)
    report.notes.push_back(
        fmt::format("{} tensors have another dtype in B; their values were compared", other));
}

}  // namespace

std::int64_t DiffReport::count(Comparison comparison) const noexcept {
  return std::count_if(tensors.begin(), tensors.end(),
                       [comparison](const TensorDiff& t) { return t.comparison == comparison; });
}

bool DiffReport::is_equal() const noexcept {
  return count(Comparison::equal) == static_cast<std::int64_t>(tensors.size());
}

const TensorDiff* DiffReport::largest() const noexcept {
  const auto at = std::max_element(
      tensors.begin(), tensors.end(),
      [](const TensorDiff& x, const TensorDiff& y) { return x.largest < y.largest; });
  return at == tensors.end() ? nullptr : &*at;
}

DiffReport diff(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options) {
  DiffReport report;
  std::set<std::string> names;
  for (const TensorInfo& tensor : a.tensors) names.insert(tensor.canonical);
  for (const TensorInfo& tensor : b.tensors) names.insert(tensor.canonical);
  for (const std::string& name : names) report.tensors.push_back(compare_headers(a, b, name));
  const Source source_a(a), source_b(b);
  parallel_for(static_cast<std::int64_t>(report.tensors.size()), options.threads,
               [&](std::int64_t index, int) {
                 TensorDiff& tensor = report.tensors[static_cast<std::size_t>(index)];
                 if (tensor.comparison != Comparison::equal) return;
                 compare_values({source_a, *counterpart(a, tensor.canonical), {}, {}},
                                {source_b, *counterpart(b, tensor.canonical), {}, {}},
                                options.tolerance, tensor);
               });
  note_dtypes(report);
  return report;
}

}  // namespace koine::pipeline
