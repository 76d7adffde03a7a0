#include "pipeline/seals.hpp"

#include <algorithm>
#include <iterator>

#include "core/error.hpp"
#include "core/json.hpp"

namespace koine::pipeline {
namespace {

constexpr std::size_t kPrint = 32;

void add_prints(const store::TensorRecord& record, std::size_t models, std::string& prints) {
  for (std::size_t model = 0; model < models; ++model) {
    const std::string& print = record.inputs.at(model);
    if (print.size() != kPrint) throw StorageError("the journal holds a fingerprint cut short");
    prints += print;
  }
}

}  // namespace

Seals::Seals(const FinishedRun& run) : run_(run), shards_(run.plan.shards.size()) {
  tensors_.reserve(run.plan.tensors.size());
  prints_.reserve(run.plan.tensors.size() * (run.inputs.experts.size() + 1) * kPrint);
}

void Seals::add(std::size_t tensor, RunRecords& records) {
  const std::size_t index = records.shard_of(tensor);
  if (shards_[index].file.path.empty()) {
    const store::ShardRecord& record = records.shard(index);
    shards_[index] = {
        {record.file, record.size, record.sha256}, record.arithmetic, record.other_integers};
  }
  const store::TensorRecord& its = records.tensor(tensor);
  const PlannedTensor& planned = run_.plan.tensors[tensor];
  const auto& base = run_.inputs.base.tensors[planned.index];
  tensors_.push_back({base.name, base.canonical, shards_[index].file.path, planned.out_dtype,
                      base.shape, its.seal.offset, its.seal.sha256});
  add_prints(its, run_.inputs.experts.size() + 1, prints_);
}

std::vector<store::ManifestFile> Seals::shards() const {
  std::vector<store::ManifestFile> files;
  std::ranges::transform(shards_, std::back_inserter(files), &Shard::file);
  return files;
}

std::string Seals::arithmetic() const {
  Json kinds = Json::array();
  for (const Shard& shard : shards_) {
    Json kind = Json::parse(shard.arithmetic);
    if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(std::move(kind));
  }
  return (kinds.size() == 1 ? kinds[0] : Json{{"kinds", kinds}}).dump();
}

OtherIntegers Seals::other_integers() const {
  OtherIntegers all;
  for (const Shard& shard : shards_)
    std::ranges::copy(shard.other_integers, std::back_inserter(all));
  return all;
}

store::ModelTexts Seals::models() const {
  const Json models = Json::parse(run_.identity.inputs);
  return {models.size(), [this, models](std::size_t model) {
            Json tensors = Json::object();
            for (std::size_t i = 0; i < tensors_.size(); ++i) {
              tensors[tensors_[i].canonical] =
                  prints_.substr((i * models.size() + model) * kPrint, kPrint);
            }
            Json json = models[model];
            json["tensors"] = std::move(tensors);
            return json.dump();
          }};
}

}  // namespace koine::pipeline
