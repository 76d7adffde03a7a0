#pragma once

#include <string>

#include "pipeline/predict.hpp"
#include "submit_jobs.hpp"

namespace koine::jobs {

/// What a job's processes will compute on, whatever GPUs the job asks for.
enum class Arithmetic : std::uint8_t { on_gpus, on_cores };

/// A merge's.
[[nodiscard]] Arithmetic arithmetic_of_merge(const SubmitOptions& options,
                                             const cluster::Settings& settings);

/// How large and how long the jobs of a recipe are, by its plan, the cluster's settings and what
/// the user says. Keeps references.
class JobSize {
 public:
  /// @throws InputError for a bad file of rates
  JobSize(const Session& session, const SubmitOptions& options, const cluster::Settings& settings,
          Arithmetic computes);

  /// Processes, cores and GPUs, as asked for or as the cluster has them. @throws InputError
  [[nodiscard]] cluster::JobShape shape() const;

  /// As the job's processes will plan it.
  [[nodiscard]] pipeline::Plan plan(const recipe::Recipe& recipe, const pipeline::Inputs& inputs,
                                    const cluster::JobShape& shape,
                                    pipeline::Sharing sharing) const;

  /// Memory and time that the plan's processes will need for so many merges, with a margin.
  /// @throws InputError where a node has less
  void fit(cluster::JobShape& shape, const pipeline::Plan& plan, const pipeline::Inputs& inputs,
           double merges) const;

  /// One line that tells the user beforehand.
  [[nodiscard]] std::string forecast(const pipeline::Plan& plan,
                                     const cluster::JobShape& shape) const;

 private:
  /// @throws InputError for a limit that makes no sense
  void check_time(double seconds) const;
  [[nodiscard]] pipeline::Prediction expected(const pipeline::Plan& plan,
                                              const cluster::JobShape& shape) const;

  const Session& session_;
  const SubmitOptions& options_;
  const cluster::Settings& settings_;
  Arithmetic computes_;
  pipeline::MachineRates machine_;
  bool has_rates_ = false;  ///< machine_ was measured
};

}  // namespace koine::jobs
