#pragma once

#include "pipeline/plan.hpp"
#include "pipeline/predict.hpp"
#include "pipeline/run_folder.hpp"
#include "session.hpp"

namespace koine::jobs {

/// What `koine plan` and `merge --dry-run` show.
struct PlanView {
  const recipe::Recipe& recipe;
  const pipeline::Inputs& inputs;
  const pipeline::Plan& plan;
  const pipeline::RunFolder& folder;
  int threads = 1;
  bool shows_settings = false;
  const pipeline::MachineRates& machine;
  pipeline::Prediction expected;
};

void show_plan(const Session& session, const PlanView& view);       ///< for people: stdout
void show_plan_json(const Session& session, const PlanView& view);  ///< for machines: stdout

/// Reads headers, checks everything that needs no weights, shows it. Local; writes nothing.
ExitCode run_plan(const Session& session, const struct PlanRequest& request);

struct PlanRequest {
  const recipe::Recipe& recipe;
  std::filesystem::path target;  ///< empty: none named yet, so no folder is looked at
  int processes = 1, threads = 1;
  std::int64_t memory = 0;
  bool start_over = false, as_json = false, shows_settings = false;
  pipeline::MachineRates machine = pipeline::common_machine();
  int per_machine = 0;  ///< processes; 0: as many as there is room for
};

}  // namespace koine::jobs
