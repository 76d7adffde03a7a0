#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "pipeline/inputs.hpp"

namespace koine::pipeline {

/// 32 hexadecimal digits for what each model's tensors hold, the base first, wherever the files
/// lie. Models are read through once; `memory` keeps their digits for as long as no file changes
/// its size, time or inode. Collective; the root alone reads and writes `memory`. Cost: one reading
/// of the models that `memory` does not know.
/// @throws InputError, StorageError
[[nodiscard]] std::vector<std::string> contents_of(const Inputs& inputs,
                                                   const std::filesystem::path& memory, int threads,
                                                   comm::Communicator& processes);

}  // namespace koine::pipeline
