#include "pipeline/evaluation_notes.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/json.hpp"
#include "pipeline/sweep_folder.hpp"

namespace koine::pipeline {
namespace {

/// Ends the message of a point whose output was removed.
constexpr const char* kCleared = "; the disk was full, and what it left there was removed";

std::string_view word(EvaluationStatus status) {
  switch (status) {
    case EvaluationStatus::done:
      return "done";
    case EvaluationStatus::timed_out:
      return "timed out";
    default:
      return "failed";
  }
}

/// What the folder keeps of an answer, over what it knew before.
Json result_of(const Evaluated& answer, const std::string& digest, Json known) {
  Json result = known.is_object() ? std::move(known) : Json::object();
  result["status"] = word(answer.status);
  result["message"] = answer.message;
  result["metric"] = answer.metric ? Json(*answer.metric) : Json();
  result["metrics"] = answer.numbers;
  result["signature"] = answer.signature;
  result["n"] = answer.n ? Json(*answer.n) : Json();
  result["evaluation"] = digest;
  Json items = Json::array();
  for (const EvaluatedItem& item : answer.items)
    items.push_back(Json::array({item.id, item.errors, item.words}));
  result["items"] = items;
  return result;
}

}  // namespace

EvaluationNotes::EvaluationNotes(SweepFolder* folder, std::filesystem::path points,
                                 std::string digest)
    : folder_(folder), points_(std::move(points)), digest_(std::move(digest)) {}

Evaluated EvaluationNotes::note(const EvaluationTask& task, Evaluated answer) {
  if (answer.status != EvaluationStatus::done) failed_.push_back({task, answer});
  try {
    store(task, answer);
  } catch (const StorageError&) {
    const std::vector<std::string> cleared = make_room();
    if (cleared.empty()) throw;
    if (std::ranges::find(cleared, task.key) == cleared.end()) {
      store(task, answer);
    } else {
      answer.message += kCleared;
    }
  }
  return answer;
}

std::vector<std::string> EvaluationNotes::make_room() {
  std::vector<Failed> cleared;
  for (Failed& each : std::exchange(failed_, {})) {
    if (remove_leftovers(points_ / each.task.name, kKeptRun)) cleared.push_back(std::move(each));
  }
  if (!cleared.empty()) ++rooms_made_;
  std::vector<std::string> keys;
  for (Failed& each : cleared) {
    each.answer.message += kCleared;
    store(each.task, each.answer);
    keys.push_back(each.task.key);
  }
  return keys;
}

void EvaluationNotes::store(const EvaluationTask& task, const Evaluated& answer) {
  folder_->set_result(task.key, result_of(answer, digest_, folder_->result(task.key)));
}

}  // namespace koine::pipeline
