#pragma once

#include "pipeline/plan.hpp"
#include "pipeline/rates_file.hpp"

namespace koine::pipeline {

/// How the plan's processes are spread.
struct Layout {
  int threads = 1;      ///< of each process
  int per_machine = 0;  ///< processes; 0: as many as have workers there
};

/// What a merge is expected to take, from its plan alone.
struct Prediction {
  double seconds = 0;
  double balance = 1;  ///< work of all processes / (processes * seconds of the slowest)
  double hours = 0;    ///< of GPUs where workers are GPUs, else of cores: seconds * workers / 3600
  double read_rate = 0, write_rate = 0;  ///< bytes/s that storage must give and take: inputs,
                                         ///< results, factors that processes find for each other
  bool waits_for_storage = false;        ///< the time is storage's, not the processes'
};

[[nodiscard]] Prediction predict(const Plan& plan, const MachineRates& machine,
                                 const Layout& layout);

}  // namespace koine::pipeline
