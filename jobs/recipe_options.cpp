#include "recipe_options.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <sched.h>

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace koine::jobs {
namespace {

std::filesystem::path output_folder(const std::string& path, const std::string& file) {
  if (path.empty()) {
    throw InputError(
        fmt::format("{}: names no output; pass --output DIR or write output: {{path: DIR}}", file));
  }
  std::filesystem::path folder = path;
  return folder.has_filename() ? folder : folder.parent_path();
}

}  // namespace

void add_recipe_options(CLI::App& command, RecipeOptions& options) {
  command.add_option("RECIPE", options.recipe, "The merge recipe (YAML)")->required();
  command
      .add_option("-o,--output", options.output, "The run folder to write; overrides output.path")
      ->option_text("DIR");
  command
      .add_option("--set", options.overrides,
                  "Overrides a key of the recipe: parameters.rank=7 (repeatable)")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_flag("--fresh", options.start_over,
                   "Start over: a new run takes the old one's place when it is complete");
}

void add_memory_option(CLI::App& command, std::string& memory) {
  command.add_option("--memory", memory, "Most memory per process, such as 16GiB")
      ->option_text("SIZE");
}

void add_thread_options(CLI::App& command, int& threads, std::string& memory) {
  command.add_option("--threads", threads, "Threads per process (default: its cores)")
      ->option_text("N")
      ->check(CLI::Range(1, 4096));
  add_memory_option(command, memory);
}

void add_place_options(CLI::App& command, std::string& backend, std::string& transport) {
  command
      .add_option("--backend", backend,
                  "Where arithmetic runs: auto (a GPU if there is one), cpu or cuda")
      ->option_text("NAME")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  command.add_option("--transport", transport, "How processes talk: auto, nccl, mpi or self")
      ->option_text("NAME")
      ->check(CLI::IsMember({"auto", "nccl", "mpi", "self"}));
}

void add_cache_option(CLI::App& command, std::string& cache) {
  command
      .add_option("--cache", cache,
                  "Folder that keeps factors for later (default: $KOINE_CACHE; a merge without "
                  "either keeps none, a sweep has its own)")
      ->option_text("DIR")
      ->envname("KOINE_CACHE");
}

void add_stall_option(CLI::App& command, double& stall) {
  command
      .add_option(
          "--stall", stall,
          "Seconds without a sign of life from a process after which the job ends (default: "
          "$KOINE_STALL, else 60; 0: never)")
      ->option_text("SECONDS")
      ->envname("KOINE_STALL")
      ->check(CLI::Range(0.0, 1e6));
}

void add_machine_options(CLI::App& command, const MachineOptions& options) {
  add_place_options(command, options.backend, options.transport);
  add_stall_option(command, options.stall);
  add_thread_options(command, options.threads, options.memory);
  add_cache_option(command, options.cache);
}

recipe::Recipe read_recipe(const RecipeOptions& options) {
  return recipe::read(options.recipe, {options.overrides, options.output});
}

std::filesystem::path target_of(const recipe::Recipe& recipe) {
  return output_folder(recipe.output_path, recipe.file);
}

std::filesystem::path sweep_folder_of(const recipe::Sweep& sweep) {
  return output_folder(sweep.output_path, sweep.file);
}

int default_threads() {
  cpu_set_t cores;
  const int mine = ::sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
  const int all = static_cast<int>(std::thread::hardware_concurrency());
  const int neighbours =
      mine < all ? 1 : comm::launched_on_this_machine();  // a bound process has its cores alone
  return std::max(1, mine / std::max(1, neighbours));
}

std::int64_t memory_limit(const std::string& text) {
  if (text.empty()) return 0;
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes <= 0)
    throw InputError(fmt::format("--memory {}: expected a size such as 16GiB or 500MB", text));
  return *bytes;
}

}  // namespace koine::jobs
