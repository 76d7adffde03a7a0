#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/evaluate_command.hpp"
#include "pipeline/sweep_evaluation.hpp"

namespace koine::pipeline {

/// In a point's folder: the run that keep: all keeps.
inline constexpr const char* kKeptRun = "merged";

/// What commands answered, on its way into the sweep's folder, also where one of them has filled
/// the disk. Of the root. Keeps a reference.
class EvaluationNotes {
 public:
  /// `points`: the folder of the points' folders; `digest`: what was asked (evaluation_digest).
  EvaluationNotes(SweepFolder* folder, std::filesystem::path points, std::string digest);

  /// Keeps an answer; makes room for it where the disk is full. Returns it as it was kept.
  /// @throws StorageError where there is no room to be made
  Evaluated note(const EvaluationTask& task, Evaluated answer);

  /// The disk is full: removes what commands left that did not end well, and says so of their
  /// points; their keys. What keep: all keeps stays.  @throws StorageError
  std::vector<std::string> make_room();
  /// How often there was something to remove.
  [[nodiscard]] int rooms_made() const noexcept { return rooms_made_; }

 private:
  struct Failed {
    EvaluationTask task;
    Evaluated answer;
  };
  void store(const EvaluationTask& task, const Evaluated& answer);

  SweepFolder* folder_;
  std::filesystem::path points_;
  std::string digest_;
  std::vector<Failed> failed_;  ///< whose output may fill the disk
  int rooms_made_ = 0;
};

}  // namespace koine::pipeline
