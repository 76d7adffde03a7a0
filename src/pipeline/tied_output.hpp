#pragma once

#include "pipeline/merge_tensor.hpp"

namespace koine::pipeline {

/// Whisper ties its output matrix to the token embedding; some checkpoints store both. Where the
/// base stores only the embedding, an expert's own output matrix must equal its embedding, or
/// merging would lose it. Reads both matrices of such experts. @throws InputError naming the first
/// element that differs
void check_tied_outputs(const MergeContext& context);

}  // namespace koine::pipeline
