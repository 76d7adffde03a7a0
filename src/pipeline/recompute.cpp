#include "pipeline/recompute.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/thread_pool.hpp"
#include "pipeline/merge_tensor.hpp"
#include "pipeline/model_budget.hpp"
#include "pipeline/origin.hpp"
#include "pipeline/run_folder.hpp"
#include "store/manifest.hpp"

namespace koine::pipeline {
namespace {

recipe::Recipe recipe_of(const std::filesystem::path& run) {
  const auto origin = read_origin(run);
  if (!origin)
    throw InputError(fmt::format(
        "{}: .koine/origin.json is gone, so the recipe is not known; merge again", run.string()));
  return recipe::read(origin->recipe_file, {origin->overrides, run.string()});
}

void require_same(const store::Manifest& manifest, const Identity& identity,
                  const std::filesystem::path& run) {
  Json inputs = Json::parse(manifest.inputs);
  for (Json& model : inputs) model.erase("tensors");
  if (inputs == Json::parse(identity.inputs) &&
      Json::parse(manifest.recipe) == Json::parse(identity.recipe))
    return;
  throw InputError(
      fmt::format("{}: its recipe or its inputs have changed since, so nothing can be recomputed; "
                  "merge into another folder",
                  run.string()));
}

/// The `share` of the tensors whose names hash lowest.
std::vector<std::size_t> sample(const Plan& plan, const Inputs& inputs, double share) {
  std::vector<std::pair<std::string, std::size_t>> order;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    order.emplace_back(sha256_of(inputs.base.tensors[plan.tensors[i].index].canonical), i);
  }
  std::ranges::sort(order);
  const auto wanted = std::clamp<std::size_t>(
      static_cast<std::size_t>(share * static_cast<double>(order.size()) + 0.999), 1, order.size());
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(order[i].second);
  return chosen;
}

}  // namespace

RecomputeReport recompute(const std::filesystem::path& run, double share, int threads) {
  lowrank::use_one_blas_thread();
  const store::Manifest manifest = store::read_manifest(run);
  const recipe::Recipe recipe = recipe_of(run);
  const auto alone = comm::make_self();
  const Inputs inputs = open_inputs(recipe, *alone);
  const Identity identity = identity_of(recipe, inputs);
  require_same(manifest, identity, run);
  RecomputeReport report;
  report.is_comparable = Json::parse(manifest.arithmetic) == Json::parse(identity.arithmetic);
  if (!report.is_comparable) return report;
  const Plan plan = make_plan(recipe, inputs, 1);
  const auto sources = open_sources(inputs);
  const auto method = methods::make(recipe.merge_method);
  Progress progress;
  MergeContext context{inputs, sources, *method, true, progress};
  std::optional<ModelBudget> budget;
  if (!plan.densities.empty())
    context.budget = &budget.emplace(budget_of_report(run, plan, manifest));
  const auto chosen = sample(plan, inputs, share);
  std::vector<Scratch> scratch(static_cast<std::size_t>(threads));
  std::mutex guard;
  parallel_for(static_cast<std::int64_t>(chosen.size()), threads, [&](std::int64_t i, int thread) {
    const std::size_t at = chosen[static_cast<std::size_t>(i)];
    Sha256 hash;
    (void)merge_tensor(
        plan.tensors[at], context, scratch[static_cast<std::size_t>(thread)],
        [&hash](std::int64_t, std::span<const std::byte> bytes) { hash.update(bytes); });
    const bool is_equal = hash.hex() == manifest.tensors.at(at).sha256;
    const std::lock_guard lock(guard);
    ++report.tensors;
    if (!is_equal) report.differing.push_back(manifest.tensors[at].name);
  });
  std::ranges::sort(report.differing);
  return report;
}

}  // namespace koine::pipeline
