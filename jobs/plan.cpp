#include <memory>

#include "commands.hpp"
#include "plan_view.hpp"
#include "recipe_options.hpp"

namespace koine::jobs {

void add_plan(CLI::App& app, Session& session) {
  struct Options : RecipeOptions {
    int ranks = 1, per_machine = 0;
    std::string rates;
    bool as_json = false, shows_settings = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = add_command(
      app, session, "plan", "Checks a recipe and shows what a merge would do, from headers alone",
      "koine plan demo/lors.yaml --output runs/demo --ranks 4");
  add_recipe_options(*command, *options);
  add_thread_options(*command, options->threads, options->memory);
  command->add_option("--ranks", options->ranks, "Plan for so many processes")
      ->option_text("N")
      ->check(CLI::Range(1, 1 << 20));
  command
      ->add_option("--ranks-per-node", options->per_machine,
                   "So many of them on one machine (default: as many as it has room for)")
      ->option_text("N")
      ->check(CLI::Range(1, 1 << 20));
  command
      ->add_option("--rates", options->rates,
                   "Predict times with this machine's rates (koine bench --rates makes the file)")
      ->option_text("FILE");
  command->add_flag("--show-settings", options->shows_settings,
                    "Show every setting and where it came from");
  command->add_flag("--json", options->as_json, "For machines");
  command->callback([&session, options] {
    session.command = [&session, options] {
      const recipe::Recipe recipe = read_recipe(*options);
      const int threads = options->threads > 0 ? options->threads : default_threads();
      const std::filesystem::path target =
          recipe.output_path.empty() ? std::filesystem::path() : target_of(recipe);
      return run_plan(session,
                      {recipe, target, options->ranks, threads, memory_limit(options->memory),
                       options->start_over, options->as_json, options->shows_settings,
                       options->rates.empty() ? pipeline::common_machine()
                                              : pipeline::read_rates(options->rates),
                       options->per_machine});
    };
  });
}

}  // namespace koine::jobs
