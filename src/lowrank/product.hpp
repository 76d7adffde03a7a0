#pragma once

#include <span>

#include "lowrank/product_kernels.hpp"
#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// L_ij = chain of fmaf from +0 over the stored factors in order (rules::chain); row-major [rows,
/// cols] into `out`. The same bits with or without FMA hardware. Returns |L|_F^2, as
/// backend::sum_of_squares adds it up. Cost: rows * cols * kept fused multiply-adds.
/// @pre out.size() == rows * cols
double product(const Factors& factors, std::span<float> out);

/// As product, by one variant: for the tests that compare them.  @pre the variant has a kernel
double product_by(const ProductVariant& variant, const Factors& factors, std::span<float> out);

}  // namespace koine::lowrank
