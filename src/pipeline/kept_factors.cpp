#include "pipeline/kept_factors.hpp"

#include <chrono>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "lowrank/rung.hpp"
#include "methods/parts.hpp"
#include "pipeline/on_device.hpp"

namespace koine::pipeline {
namespace {

/// One line that says what a rung of tau was made from and by.
std::string key_of(const TaskVectorOrigin& origin, std::int64_t rung,
                   const lowrank::SvdOptions& svd, const std::string& arithmetic) {
  return fmt::format("base {} {} expert {} {} shape {} {} rung {} svd {} {} arithmetic {}",
                     origin.base_print, recipe_name(origin.base_dtype), origin.expert_print,
                     recipe_name(origin.expert_dtype), origin.rows, origin.cols, rung,
                     static_cast<int>(svd.mode), svd.tolerance, arithmetic);
}

bool reads(const std::filesystem::path& path, const std::string& text) {
  constexpr std::int64_t kLongest = 1 << 12;
  try {
    return read_text_file(path, kLongest) == text;
  } catch (const Error&) {
    return false;
  }
}

struct Opening {
  const std::filesystem::path& folder;
  const std::string& arithmetic;
  KeptFactors::Trouble trouble;
};

/// The root makes the folder, the others find it. Collective.
KeptFactors& open_root_first(std::optional<KeptFactors>& place, const Opening& opening,
                             comm::Communicator& processes) {
  if (!processes.is_root()) processes.barrier();
  KeptFactors& opened = place.emplace(opening.folder, opening.arithmetic, opening.trouble);
  if (processes.is_root()) processes.barrier();
  return opened;
}

}  // namespace

KeptFactors::KeptFactors(const std::filesystem::path& folder, std::string arithmetic,
                         Trouble trouble)
    : cache_(folder), arithmetic_(std::move(arithmetic)), on_trouble_(trouble) {}

lowrank::Factors KeptFactors::find_or_make(const TaskVectorOrigin& origin,
                                           const lowrank::SvdOptions& svd, const MakeFactors& make,
                                           Progress& progress) const {
  const auto key = [&](std::int64_t rung) { return key_of(origin, rung, svd, arithmetic_); };
  bool is_made = false;
  lowrank::RungStore store;
  store.also = expected_;
  store.find = [&](std::int64_t rung) { return find(key(rung)); };
  store.keep = [&](const lowrank::Rung& rung) {
    is_made = true;
    keep(key(rung.rung), rung);
  };
  lowrank::Factors factors = make(store);
  if (is_made)
    ++progress.matrices;
  else if (factors.method != "none" && !progress.has_all_factors)
    ++progress.matrices_found;
  return factors;
}

std::optional<lowrank::Rung> KeptFactors::find(const std::string& key) const {
  try {
    return cache_.find(key);
  } catch (const StorageError& error) {
    note(error);
    return std::nullopt;
  }
}

void KeptFactors::keep(const std::string& key, const lowrank::Rung& rung) const {
  try {
    cache_.keep(key, rung);
  } catch (const Error& error) {
    note(error);
  }
}

void KeptFactors::note(const Error& error) const {
  if (on_trouble_ == Trouble::ends) throw;
  const std::lock_guard lock(guard_);
  if (trouble_.empty()) trouble_ = error.what();
}

bool KeptFactors::is_common(comm::Communicator& processes) const {
  const std::filesystem::path probe = cache_.folder() / "koine-cache.json.probe";
  std::string word;
  try {
    if (processes.is_root()) {
      word = fmt::format("{} {} {}", comm::machine_name(), ::getpid(),
                         std::chrono::system_clock::now().time_since_epoch().count());
      write_file_atomically(probe, word);
    }
  } catch (const Error&) {
    word.clear();
  }
  processes.broadcast(word);
  const bool is_here =
      !word.empty() && reads(probe, word) && ::access(cache_.folder().c_str(), W_OK | X_OK) == 0;
  std::vector<std::int64_t> strangers{is_here ? 0 : 1};
  processes.all_reduce_sum(std::span(strangers));
  std::error_code none;
  if (processes.is_root()) std::filesystem::remove(probe, none);
  return strangers[0] == 0;
}

void KeptFactors::settle(std::vector<std::string>& notes) const {
  if (!trouble_.empty())
    notes.push_back(fmt::format("factors were not kept in the cache: {}", trouble_));
  try {
    const std::int64_t limit = store::use_of_cache(cache_.folder()).limit;
    if (limit > 0) (void)store::prune_cache(cache_.folder(), limit);
  } catch (const Error& error) {
    notes.emplace_back(error.what());
  }
}

std::filesystem::path KeptFactors::folder_in(const std::filesystem::path& run) {
  return run / ".koine" / "factors";
}

void KeptFactors::remove_from(const std::filesystem::path& run) {
  std::error_code none;
  std::filesystem::remove_all(folder_in(run), none);
}

KeptFactors& open_own_factors(const std::filesystem::path& run, const std::string& arithmetic,
                              std::optional<KeptFactors>& own, comm::Communicator& processes) {
  const std::filesystem::path folder = KeptFactors::folder_in(run);
  if (processes.is_root() && !store::is_cache(folder)) KeptFactors::remove_from(run);
  return open_root_first(own, {folder, arithmetic, KeptFactors::Trouble::ends}, processes);
}

KeptFactors& open_cache(const std::filesystem::path& folder, const std::string& arithmetic,
                        std::optional<KeptFactors>& cache, comm::Communicator& processes) {
  return open_root_first(cache, {folder, arithmetic, KeptFactors::Trouble::is_noted}, processes);
}

TaskVectorOrigin origin_of(const TensorReader& reader, std::size_t expert) {
  return {reader.fingerprint(0),       reader.fingerprint(expert + 1), reader.base().dtype,
          reader.expert(expert).dtype, reader.base().shape[0],         reader.base().shape[1]};
}

methods::PruneParameters prune_parameters(const PlannedTensor& planned, std::size_t expert,
                                          const MergeContext& context, const TensorReader& reader) {
  methods::PruneParameters parameters = planned.parts[expert].prune;
  if (context.factors == nullptr && context.lanes == nullptr) return parameters;
  parameters.factorise = [&, expert](MatrixView tau, const methods::PruneParameters& own,
                                     lowrank::Workspace& workspace) {
    const auto make = [&](const lowrank::RungStore* store) {
      return context.lanes != nullptr
                 ? factorise_on_device(*context.lanes, tau, own, workspace, store)
                 : methods::factorise(tau, own, workspace, store);
    };
    if (context.factors == nullptr) return make(nullptr);
    return context.factors->find_or_make(
        origin_of(reader, expert), own.svd,
        [&](const lowrank::RungStore& store) { return make(&store); }, context.progress);
  };
  return parameters;
}

}  // namespace koine::pipeline
