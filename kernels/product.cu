#include "core/rules.hpp"
#include "kernels/launch.cuh"
#include "kernels/product.hpp"

namespace koine::kernels {
namespace {

/// A factor that is read along rows or columns.
struct Operand {
  const float* data;
  std::int64_t step;       ///< from one row (left) or column (right) of L to the next
  std::int64_t term_step;  ///< from one term of the chain to the next
};

__global__ void product_kernel(Operand left, Operand right, std::int64_t kept, std::int64_t cols,
                               float* out, std::int64_t count) {
  for (std::int64_t at = first_index(); at < count; at += index_step()) {
    const float* a = left.data + at / cols * left.step;
    const float* b = right.data + at % cols * right.step;
    float sum = 0;
    for (std::int64_t k = 0; k < kept; ++k)
      sum = rules::chain(a[k * left.term_step], b[k * right.term_step], sum);
    out[at] = sum;
  }
}

}  // namespace

void product(const FactorPair& f, float* out, Stream* stream) {
  const std::int64_t count = f.rows * f.cols;
  if (count == 0) return;
  const Operand u{f.u, f.kept, 1}, b{f.b, 1, f.is_transposed ? f.rows : f.cols};
  launch(product_kernel, elements(count), stream, f.is_transposed ? b : u, f.is_transposed ? u : b,
         f.kept, f.cols, out, count);
}

}  // namespace koine::kernels
