#include "job_size.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace koine::jobs {
namespace {

constexpr double kTimeMargin = 4, kMeasuredMargin = 2;  // of a time limit; with measured rates
constexpr double kLeastTime = 15 * 60;                  // seconds
constexpr double kMemoryMargin = 1.25;
constexpr std::int64_t kLauncherMemory = std::int64_t{512} << 20;  // bytes per node

}  // namespace

Arithmetic arithmetic_of_merge(const SubmitOptions& options, const cluster::Settings& settings) {
  const bool has_gpus = settings.gpus_per_node > 0 && options.backend != "cpu";
  return has_gpus ? Arithmetic::on_gpus : Arithmetic::on_cores;
}

JobSize::JobSize(const Session& session, const SubmitOptions& options,
                 const cluster::Settings& settings, Arithmetic computes)
    : session_(session),
      options_(options),
      settings_(settings),
      computes_(computes),
      machine_(pipeline::common_machine()) {
  if (settings.rates.empty()) return;
  pipeline::MachineRates measured = pipeline::read_rates(settings.rates);
  // A GPU is not slower than its machine's cores: their rates will do for it, not the reverse.
  has_rates_ = !measured.has_gpus || computes == Arithmetic::on_gpus;
  if (has_rates_) machine_ = std::move(measured);
}

cluster::JobShape JobSize::shape() const {
  cluster::JobShape shape;
  shape.nodes = options_.nodes;
  shape.gpus_per_node = settings_.gpus_per_node;
  shape.processes = options_.processes > 0 ? options_.processes
                                           : options_.nodes * std::max(1, settings_.gpus_per_node);
  if (shape.processes < shape.nodes)
    throw InputError(fmt::format("--ranks {}: less than one process for each of {} nodes",
                                 shape.processes, shape.nodes));
  shape.cores =
      options_.cores > 0 ? options_.cores : settings_.cores_per_node / shape.processes_per_node();
  if (shape.cores == 0)
    session_.warn(fmt::format(
        "cluster '{}' does not say cores_per_node, so each process gets one core; --cores N "
        "gives it more",
        settings_.name));
  shape.cores = std::max(1, shape.cores);
  shape.begin = options_.begin;
  shape.seconds = cluster::slurm_seconds(options_.time);
  check_time(shape.seconds);
  return shape;
}

pipeline::Plan JobSize::plan(const recipe::Recipe& recipe, const pipeline::Inputs& inputs,
                             const cluster::JobShape& shape, pipeline::Sharing sharing) const {
  return pipeline::make_plan(
      recipe, inputs, shape.processes,
      computes_ == Arithmetic::on_gpus ? pipeline::gpu_rates() : pipeline::common_rates(), sharing);
}

void JobSize::fit(cluster::JobShape& shape, const pipeline::Plan& plan,
                  const pipeline::Inputs& inputs, double merges) const {
  const std::int64_t limit = memory_limit(options_.memory);
  const auto each = static_cast<double>(limit > 0 ? limit : plan.memory(inputs, shape.cores));
  shape.memory = static_cast<std::int64_t>(kMemoryMargin * each * shape.processes_per_node()) +
                 kLauncherMemory;
  if (settings_.memory_per_node > 0 && shape.memory > settings_.memory_per_node) {
    throw InputError(fmt::format(
        "{} per node would be needed, nodes of '{}' have {}; use fewer processes per node "
        "(--ranks), fewer cores (--cores), or --memory",
        human_bytes(shape.memory), settings_.name, human_bytes(settings_.memory_per_node)));
  }
  if (shape.seconds > 0) return;
  const double margin = has_rates_ ? kMeasuredMargin : kTimeMargin;
  shape.seconds = kLeastTime + margin * merges * expected(plan, shape).seconds;
  if (settings_.max_time > 0) shape.seconds = std::min(shape.seconds, settings_.max_time);
}

std::string JobSize::forecast(const pipeline::Plan& plan, const cluster::JobShape& shape) const {
  const pipeline::Prediction time = expected(plan, shape);
  return fmt::format(
      "reads {}, writes {}, factorises {} matrices on {} process{} of {} core{}: about {}, "
      "{:.2g} {}-hours",
      human_bytes(plan.bytes_in), human_bytes(plan.bytes_out), plan.matrices, shape.processes,
      shape.processes == 1 ? "" : "es", shape.cores, shape.cores == 1 ? "" : "s",
      human_seconds(time.seconds), time.hours, machine_.has_gpus ? "GPU" : "core");
}

void JobSize::check_time(double seconds) const {
  if (seconds == 0) return;
  if (seconds <= settings_.signal_seconds)
    throw InputError(
        fmt::format("--time {}: a job is told to stop {} s before its limit; give it "
                    "more",
                    options_.time, settings_.signal_seconds));
  if (settings_.max_time > 0 && seconds > settings_.max_time)
    throw InputError(fmt::format("--time {}: '{}' allows at most {} (max_time)", options_.time,
                                 settings_.name, cluster::slurm_time(settings_.max_time)));
}

pipeline::Prediction JobSize::expected(const pipeline::Plan& plan,
                                       const cluster::JobShape& shape) const {
  return predict(plan, machine_, {shape.cores, shape.processes_per_node()});
}

}  // namespace koine::jobs
