#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "recipe/sweep.hpp"

namespace koine::jobs {

/// What merge and plan have in common on their command lines.
struct RecipeOptions {
  std::string recipe, output, memory;
  std::vector<std::string> overrides;
  int threads = 0;  ///< 0: as many as this process has cores
  bool start_over = false;
};

void add_recipe_options(CLI::App& command, RecipeOptions& options);

/// Where and on what a command works.
struct MachineOptions {
  std::string &backend, &transport;
  double& stall;
  int& threads;
  std::string &memory, &cache;
};

/// --backend and --transport. @param transport, backend hold the defaults
void add_place_options(CLI::App& command, std::string& backend, std::string& transport);
void add_stall_option(CLI::App& command, double& stall);
void add_memory_option(CLI::App& command, std::string& memory);
void add_cache_option(CLI::App& command, std::string& cache);
/// --backend, --transport, --stall, --threads, --memory and --cache.
void add_machine_options(CLI::App& command, const MachineOptions& options);
void add_thread_options(CLI::App& command, int& threads, std::string& memory);

/// @throws InputError
[[nodiscard]] recipe::Recipe read_recipe(const RecipeOptions& options);
/// The folder to write, relative to the working folder. @throws InputError where neither recipe nor
/// --output names one
[[nodiscard]] std::filesystem::path target_of(const recipe::Recipe& recipe);
/// The same of a sweep.
[[nodiscard]] std::filesystem::path sweep_folder_of(const recipe::Sweep& sweep);
/// Cores this process may use, shared with the job's other processes on this machine. At least 1.
[[nodiscard]] int default_threads();
/// --memory in bytes; 0 where it is not given. @throws InputError
[[nodiscard]] std::int64_t memory_limit(const std::string& text);

}  // namespace koine::jobs
