#include "pipeline/run_records.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace koine::pipeline {

RunRecords::RunRecords(const std::filesystem::path& run, const Plan& plan)
    : run_(run), plan_(plan), places_(plan.tensors.size()), held_(plan.shards.size()) {
  for (std::size_t s = 0; s < plan.shards.size(); ++s) {
    const auto& tensors = plan.shards[s].tensors;
    for (std::size_t at = 0; at < tensors.size(); ++at) places_[tensors[at]] = {s, at};
  }
}

const store::ShardRecord& RunRecords::shard(std::size_t index) {
  if (index == held_) return record_;
  held_ = plan_.shards.size();
  record_ = {};  // first: never two at once
  auto record = store::read_record(run_, plan_.shards.at(index).name);
  if (!record || record->tensors.size() != plan_.shards[index].tensors.size()) {
    throw StorageError(
        fmt::format("{}: the journal of shard {} cannot be read; run the same command again",
                    run_.string(), plan_.shards[index].name));
  }
  record_ = std::move(*record);
  held_ = index;
  return record_;
}

const store::TensorRecord& RunRecords::tensor(std::size_t index) {
  const Place place = places_.at(index);
  return shard(place.shard).tensors[place.at];
}

}  // namespace koine::pipeline
