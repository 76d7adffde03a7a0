#include "pipeline/plan.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "checkpoint/names.hpp"
#include "core/error.hpp"
#include "pipeline/factor_tasks.hpp"
#include "pipeline/owners.hpp"
#include "pipeline/parts_store.hpp"
#include "pipeline/shards.hpp"
#include "recipe/selector.hpp"

namespace koine::pipeline {
namespace {

using checkpoint::TensorInfo;

/// Everything that parameter values may depend on.
class Places {
 public:
  explicit Places(const checkpoint::Checkpoint& base) {
    for (const TensorInfo& tensor : base.tensors) {
      const checkpoint::Block block = checkpoint::block_of(tensor.canonical);
      if (!block.is_block) continue;
      std::int64_t& layers = block.is_encoder ? encoder_ : decoder_;
      layers = std::max(layers, block.index + 1);
    }
  }
  /// Keeps views of both names: they must outlive the result.
  [[nodiscard]] recipe::TensorPlace of(const std::string& canonical, const std::string& hf) const {
    const checkpoint::Block block = checkpoint::block_of(canonical);
    return {canonical, hf, block.is_block, block.index, block.is_encoder ? encoder_ : decoder_};
  }

 private:
  std::int64_t encoder_ = 1, decoder_ = 1;
};

double value_at(const std::optional<recipe::ParameterValue>& own,
                const recipe::ParameterValue* common, const recipe::TensorPlace& place,
                double otherwise) {
  if (own) {
    if (const auto value = own->at(place)) return *value;
  }
  if (common != nullptr) {
    if (const auto value = common->at(place)) return *value;
  }
  return otherwise;
}

std::int64_t model_width(const checkpoint::Checkpoint& base) {
  if (base.dims) return base.dims->n_text_state;
  std::int64_t width = 0;
  for (const TensorInfo& t : base.tensors) {
    if (t.shape.size() == 2)
      width =
          width == 0 ? std::min(t.shape[0], t.shape[1]) : std::min({width, t.shape[0], t.shape[1]});
  }
  return width;
}

lowrank::RankTarget rank_at(const recipe::RankValue& rank, const recipe::TensorPlace& place,
                            std::int64_t width) {
  using Kind = recipe::RankValue::Kind;
  if (rank.kind == Kind::energy) return {{0}, rank.share};
  if (rank.kind == Kind::share_of_width) {
    constexpr double kDecimalSlack = 1e-9;  // 29 % of 100 is 29, though 0.29 * 100 is a little less
    return {{static_cast<std::int64_t>(
                std::floor(rank.share * static_cast<double>(width) + kDecimalSlack))},
            0};
  }
  return {{std::llround(rank.number.at(place).value_or(0))}, 0};
}

/// Makes the planned tensors, one after the other.
class Planner {
 public:
  Planner(const recipe::Recipe& recipe, const Inputs& inputs)
      : recipe_(recipe),
        inputs_(inputs),
        method_(methods::make(recipe.merge_method)),
        selector_(recipe.select),
        places_(inputs.base),
        width_(model_width(inputs.base)),
        hits_(recipe.select.size(), 0) {}

  PlannedTensor plan(std::size_t index) {
    const TensorInfo& tensor = inputs_.base.tensors[index];
    PlannedTensor planned;
    planned.index = index;
    planned.out_dtype =
        is_float(tensor.dtype) ? recipe_.out_dtype.value_or(tensor.dtype) : tensor.dtype;
    const std::string hf = checkpoint::hf_name(tensor.canonical);
    const recipe::TensorPlace place = places_.of(tensor.canonical, hf);
    planned.treatment = treatment_of(tensor, hf);
    fill_parts(planned, place);
    planned.bytes_out = tensor.count() * size_of(planned.out_dtype);
    planned.bytes_in = tensor.bytes();
    if (planned.treatment != Treatment::base) {
      for (const Expert& expert : inputs_.experts)
        planned.bytes_in += tensor.count() * size_of(expert.tensors[index].dtype);
    }
    if (planned.treatment == Treatment::pruned && has_budget()) add_search(planned, tensor);
    if (planned.treatment == Treatment::pruned && method_->keeps_low_rank())
      add_factors(planned, tensor.shape);
    planned.merging = merging_work(planned, tensor.shape);
    return planned;
  }

  /// Each expert's density, where one budget goes over the model.
  std::vector<double> densities() const {
    std::vector<double> values;
    values.reserve(budgets_.size());
    for (const auto& [density, tensor] : budgets_) values.push_back(density);
    return values;
  }

  /// @throws InputError for a word that selected nothing
  std::vector<SelectorHits> selected() const {
    std::vector<SelectorHits> rows;
    if (!method_->selects()) return rows;
    for (std::size_t i = 0; i < hits_.size(); ++i) {
      if (hits_[i] == 0) {
        throw InputError(
            fmt::format("{}: select: '{}' hits no matrix of {}; only 2-D tensors can be factorised "
                        "(koine inspect --tensors lists them)",
                        recipe_.file, recipe_.select[i], inputs_.base.path));
      }
      rows.push_back({recipe_.select[i], hits_[i]});
    }
    return rows;
  }

 private:
  Treatment treatment_of(const TensorInfo& tensor, const std::string& hf) {
    if (!is_float(tensor.dtype)) return Treatment::copied;
    if (!method_->adds_task_vectors()) return Treatment::averaged;
    if (!method_->selects()) return Treatment::dense;
    if (tensor.shape.size() == 2 && tensor.count() > 0) {
      const auto words = selector_.hits(tensor.canonical, hf);
      for (const std::size_t word : words) ++hits_[word];
      if (!words.empty()) return Treatment::pruned;
    }
    return recipe_.others == recipe::Others::base ? Treatment::base : Treatment::dense;
  }

  [[nodiscard]] bool has_budget() const {
    return recipe_.density_over == recipe::DensityOver::model;
  }

  /// What one budget over the model costs this matrix. @throws InputError where the expert has
  /// another density elsewhere
  void add_search(PlannedTensor& planned, const TensorInfo& tensor) {
    planned.bytes_searched = kBudgetPasses * planned.bytes_in;
    planned.bytes_in += planned.bytes_searched;
    for (std::size_t t = 0; t < planned.parts.size(); ++t) {
      const methods::PruneParameters& prune = planned.parts[t].prune;
      if (t == budgets_.size()) budgets_.emplace_back(prune.density, tensor.name);
      if (budgets_[t].first == prune.density) continue;
      throw InputError(fmt::format(
          "{}: density_over: model needs one density per expert, but '{}' has {} at '{}' and {} at "
          "'{}'; give it one number, or set density_over: matrix",
          recipe_.file, inputs_.experts[t].entry.name, budgets_[t].first, budgets_[t].second,
          prune.density, tensor.name));
    }
  }

  static void add_factors(PlannedTensor& planned, const Shape& shape) {
    for (std::size_t t = 0; t < planned.parts.size(); ++t) {
      planned.factors += factor_work(planned.parts[t], shape);
      planned.bytes_factors += factor_bytes(planned.parts[t], shape);
    }
  }

  void fill_parts(PlannedTensor& planned, const recipe::TensorPlace& place) {
    const auto experts = static_cast<double>(inputs_.experts.size());
    const bool is_mean = method_->selects() && planned.treatment == Treatment::dense &&
                         recipe_.others == recipe::Others::average;
    planned.lambda = is_mean ? 1.0 / experts : recipe_.lambda.at(place).value_or(1.0);
    double total = 0;
    std::vector<TensorPart> parts;
    parts.reserve(inputs_.experts.size());
    for (const Expert& expert : inputs_.experts) {
      TensorPart part;
      part.weight = is_mean ? 1.0 : value_at(expert.entry.weight, nullptr, place, 1.0);
      part.prune.rank = rank_at(expert.entry.rank.value_or(recipe_.rank), place, width_);
      part.prune.density = value_at(expert.entry.density, &recipe_.density, place, 0.2);
      part.prune.svd = {svd_mode(), recipe_.svd_tolerance};
      total += part.weight;
      parts.push_back(std::move(part));
    }
    planned.parts = parts_.shared(std::move(parts));
    const bool is_divided =
        recipe_.normalize.value_or(!method_->adds_task_vectors()) && !method_->selects();
    if (!is_divided) return;
    if (total == 0 && planned.treatment == Treatment::averaged) {
      throw InputError(fmt::format(
          "{}: the weights of tensor '{}' sum to 0, so they cannot be normalised; change a weight "
          "or set normalize: false",
          recipe_.file, place.openai_name));
    }
    planned.divisor = total;
  }

  [[nodiscard]] lowrank::Mode svd_mode() const {
    switch (recipe_.svd_mode) {
      case recipe::SvdMode::exact:
        return lowrank::Mode::exact;
      case recipe::SvdMode::fast:
        return lowrank::Mode::fast;
      default:
        return lowrank::Mode::certified;
    }
  }

  const recipe::Recipe& recipe_;
  const Inputs& inputs_;
  std::unique_ptr<methods::Method> method_;
  recipe::Selector selector_;
  Places places_;
  std::int64_t width_;
  std::vector<std::int64_t> hits_;
  PartsStore parts_;
  std::vector<std::pair<double, std::string>> budgets_;  ///< per expert: density, where first seen
};

void add_warnings(Plan& plan, const recipe::Recipe& recipe, const Inputs& inputs) {
  const bool narrows =
      std::any_of(plan.tensors.begin(), plan.tensors.end(), [&](const PlannedTensor& t) {
        const DType own = inputs.base.tensors[t.index].dtype;
        return t.out_dtype == DType::f16 && own != DType::f16 && is_float(own);
      });
  if (narrows)
    plan.warnings.emplace_back(
        "out_dtype float16 holds magnitudes up to 65504; a larger value ends the run");
  for (const Expert& expert : inputs.experts) {
    const bool is_coarse =
        std::any_of(expert.tensors.begin(), expert.tensors.end(),
                    [](const ExpertTensor& t) { return t.dtype == DType::bf16; });
    if (is_coarse && recipe.merge_method != "linear") {
      plan.warnings.push_back(fmt::format(
          "expert '{}' is stored in bfloat16: rounding has already cost part of what it "
          "learnt; merge the float32 weights if you have them",
          expert.entry.name));
    }
  }
}

}  // namespace

Plan make_plan(const recipe::Recipe& recipe, const Inputs& inputs, int processes,
               const Rates& nominal, Sharing sharing) {
  Plan plan;
  plan.nominal = nominal;
  Planner planner(recipe, inputs);
  for (std::size_t i = 0; i < inputs.base.tensors.size(); ++i) {
    PlannedTensor& tensor = plan.tensors.emplace_back(planner.plan(i));
    tensor.cost = seconds_of(tensor.merging, nominal) + seconds_of(tensor.factors, nominal);
    plan.bytes_in += tensor.bytes_in;
    plan.bytes_out += tensor.bytes_out;
    if (tensor.treatment == Treatment::pruned)
      plan.matrices += static_cast<std::int64_t>(inputs.experts.size());
  }
  plan.selected = planner.selected();
  plan.densities = planner.densities();
  make_shards(plan, inputs, recipe.shards);
  assign_owners(plan, processes);
  if (sharing == Sharing::where_sooner) share_factors_if_sooner(plan, inputs);
  for (const PlannedTensor& tensor : plan.tensors) {
    if (!plan.densities.empty() || !plan.shared.empty()) plan.bytes_factors += tensor.bytes_factors;
  }
  add_warnings(plan, recipe, inputs);
  return plan;
}

}  // namespace koine::pipeline
