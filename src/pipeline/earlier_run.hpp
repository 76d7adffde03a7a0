#pragma once

#include <string>
#include <vector>

#include "pipeline/run_folder.hpp"

/// What an earlier merge left in .koine: whether it was the same merge, from the same files.
namespace koine::pipeline {

/// Whether .koine/plan.json is there.
[[nodiscard]] bool has_plan(const std::filesystem::path& run);

void write_plan(const std::filesystem::path& run, const Identity& identity);

/// Compares an unfinished or complete run with what is to be merged now; a machine that computes
/// differently is noted in run.notes. @throws InputError naming the settings or inputs that differ,
/// or a plan that cannot be read
void require_same_merge(RunFolder& run, const Identity& identity);

/// Sizes, times and inode numbers of all input files, as text.
[[nodiscard]] std::string input_stats(const Inputs& inputs);

/// Keeps them for inputs_untouched, unless a file was touched since `at_start` (before the first
/// read).
void write_input_stats(const std::filesystem::path& run, const Inputs& inputs,
                       const std::string& at_start);

/// Whether no input file has been touched since write_input_stats.
[[nodiscard]] bool inputs_untouched(const std::filesystem::path& run, const Inputs& inputs);

}  // namespace koine::pipeline
