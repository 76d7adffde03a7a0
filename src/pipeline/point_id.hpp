#pragma once

#include <string>

#include "methods/method.hpp"
#include "pipeline/plan.hpp"

namespace koine::pipeline {

/// 64 hexadecimal digits for what a merge makes: of the inputs and, per tensor, of what is done to
/// it. Settings that cannot make a difference are left out: rank and density where lambda is 0, the
/// rank where every entry is kept, the method where two do the same (lors at rank 0 is mp). Two
/// merges with one digest have equal tensors, but for the sign of zeros of the base where lambda is
/// 0.
/// @param contents what the models hold
[[nodiscard]] std::string digest_of(const Plan& plan, const methods::Method& method,
                                    const Inputs& inputs, const std::string& contents);

}  // namespace koine::pipeline
