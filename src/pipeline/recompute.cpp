#include "pipeline/recompute.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "checkpoint/source.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/thread_pool.hpp"
#include "pipeline/band.hpp"
#include "pipeline/merge_tensor.hpp"
#include "pipeline/model_budget.hpp"
#include "pipeline/origin.hpp"
#include "pipeline/run_folder.hpp"
#include "stats/rows_json.hpp"
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

/// One tensor after the other, merged again and held against what the run has.
class Again {
 public:
  struct Needs {
    const std::filesystem::path& run;
    const store::Manifest& manifest;
    const Plan& plan;
    const MergeContext& context;
    const Json& report;
    bool is_by_bits;
  };
  explicit Again(const Needs& needs)
      : needs_(needs), stored_(checkpoint::open(needs.run.string())), source_(stored_) {}

  [[nodiscard]] bool is_equal(std::size_t at, Scratch& scratch) const {
    const PlannedTensor& planned = needs_.plan.tensors[at];
    if (!needs_.is_by_bits && planned.treatment == Treatment::pruned) return is_near(at, scratch);
    Sha256 hash;
    (void)merge_tensor(planned, needs_.context, scratch,
                       [&](std::int64_t, std::span<const std::byte> part) { hash.update(part); });
    return hash.hex() == needs_.manifest.tensors.at(at).sha256;
  }

 private:
  /// Holds the tensor twice.
  [[nodiscard]] bool is_near(std::size_t at, Scratch& scratch) const {
    const PlannedTensor& planned = needs_.plan.tensors[at];
    const checkpoint::TensorInfo* stored =
        stored_.find(needs_.context.inputs.base.tensors[planned.index].canonical);
    if (stored == nullptr || stored->dtype != planned.out_dtype) return false;
    std::vector<std::byte> ours(static_cast<std::size_t>(planned.bytes_out)), theirs(ours.size());
    const TensorOutcome outcome =
        merge_tensor(planned, needs_.context, scratch,
                     [&](std::int64_t offset, std::span<const std::byte> part) {
                       std::ranges::copy(part, ours.begin() + offset);
                     });
    source_.read(*stored, 0, stored->count(), theirs);
    const stats::TensorRow row = stats::tensor_row_from(needs_.report.at("tensors").at(at));
    return within(band_of(planned, outcome.row, row, stored->count()), planned.out_dtype, ours,
                  theirs);
  }

  Needs needs_;
  checkpoint::Checkpoint stored_;
  checkpoint::Source source_;
};

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
  report.is_by_bits = Json::parse(manifest.arithmetic) == Json::parse(identity.arithmetic);
  const Plan plan = make_plan(recipe, inputs, 1);
  const auto sources = open_sources(inputs);
  const auto method = methods::make(recipe.merge_method);
  Progress progress;
  MergeContext context{inputs, sources, *method, true, progress};
  const Json written = report_of(run, manifest);
  std::optional<ModelBudget> budget;
  if (!plan.densities.empty()) context.budget = &budget.emplace(budget_of_report(written, plan));
  const Again again({run, manifest, plan, context, written, report.is_by_bits});
  const auto chosen = sample(plan, inputs, share);
  std::vector<Scratch> scratch(static_cast<std::size_t>(threads));
  std::mutex guard;
  parallel_for(static_cast<std::int64_t>(chosen.size()), threads, [&](std::int64_t i, int thread) {
    const std::size_t at = chosen[static_cast<std::size_t>(i)];
    const bool is_equal = again.is_equal(at, scratch[static_cast<std::size_t>(thread)]);
    const std::lock_guard lock(guard);
    ++report.tensors;
    if (!is_equal) report.differing.push_back(manifest.tensors[at].name);
  });
  std::ranges::sort(report.differing);
  return report;
}

}  // namespace koine::pipeline
