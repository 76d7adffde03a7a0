#include "recipe_options.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <sched.h>

#include "comm/communicator.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace koine::jobs {

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
  command.add_option("--threads", options.threads, "Threads per process (default: its cores)")
      ->option_text("N")
      ->check(CLI::Range(1, 4096));
  command.add_option("--memory", options.memory, "Most memory per process, such as 16GiB")
      ->option_text("SIZE");
  command.add_flag("--fresh", options.start_over,
                   "Start over: a new run takes the old one's place when it is complete");
}

recipe::Recipe read_recipe(const RecipeOptions& options) {
  return recipe::read(options.recipe, {options.overrides, options.output});
}

std::filesystem::path target_of(const recipe::Recipe& recipe) {
  if (recipe.output_path.empty()) {
    throw InputError(fmt::format(
        "{}: names no output; pass --output DIR or write output: {{path: DIR}}", recipe.file));
  }
  std::filesystem::path target = recipe.output_path;
  if (!target.has_filename()) target = target.parent_path();
  return target;
}

int default_threads() {
  cpu_set_t cores;
  const int mine = ::sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
  const int all = static_cast<int>(std::thread::hardware_concurrency());
  const int neighbours =
      mine < all ? 1 : comm::launched_on_this_machine();  // a bound process has its cores alone
  return std::max(1, mine / std::max(1, neighbours));
}

std::int64_t memory_limit(const RecipeOptions& options) {
  if (options.memory.empty()) return 0;
  const auto bytes = parse_bytes(options.memory);
  if (!bytes || *bytes <= 0)
    throw InputError(
        fmt::format("--memory {}: expected a size such as 16GiB or 500MB", options.memory));
  return *bytes;
}

}  // namespace koine::jobs
