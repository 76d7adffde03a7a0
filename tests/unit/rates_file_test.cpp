#include "pipeline/rates_file.hpp"

#include <gtest/gtest.h>

#include "core/file.hpp"
#include "pipeline/predict.hpp"
#include "support/temporary_folder.hpp"

namespace koine::pipeline {
namespace {

MachineRates machine_of_two() {
  MachineRates machine;
  machine.machine = "here";
  machine.source = "a test";
  machine.most_workers = 2;
  machine.rows = {{1, {10, 10, 10, 10, 10, 10, 10}}, {2, {8, 8, 8, 8, 8, 8, 8}}};
  return machine;
}

TEST(RatesFile, ComesBackAsItWasWritten) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "here.json";
  MachineRates machine = machine_of_two();
  machine.has_gpus = true;
  machine.storage_read = 5;
  write_file_atomically(file, rates_text(machine));
  const MachineRates back = read_rates(file);
  EXPECT_EQ(rates_text(back), rates_text(machine));
  EXPECT_TRUE(back.has_gpus);
  EXPECT_EQ(back.rows[1].rates, machine.rows[1].rates);
}

TEST(RatesFile, SaysWhatIsWrongAndWhere) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "here.json";
  const std::string good = rates_text(machine_of_two());
  const auto message = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    write_file_atomically(file, text);
    return test::message_of([&] { (void)read_rates(file); });
  };
  EXPECT_NE(message("koine-rates-3", "koine-rates-9").find("expected 'koine-rates-3'"),
            std::string::npos);
  EXPECT_NE(message("\"workers\": 2", "\"workers\": 0").find("rates[1]: 'workers' is 0"),
            std::string::npos);
  EXPECT_NE(message("\"workers\": 2", "\"workers\": 2.5").find("rates[1]: 'workers' is 2.5"),
            std::string::npos);
  EXPECT_NE(message("\"parts_per_s\": 10.0", "\"parts_per_s\": 0").find("rates[0]: 'parts_per_s'"),
            std::string::npos);
  EXPECT_NE(message("\"thread\"", "\"core\"").find("worker is 'core', expected thread or gpu"),
            std::string::npos);
  EXPECT_NE(message("\"source\"", "\"sauce\"").find("'source' is missing"), std::string::npos);
}

TEST(MachineRates, WorkersShareAMachine) {
  const MachineRates machine = machine_of_two();
  EXPECT_EQ(machine.of(1).parts, 10);
  EXPECT_EQ(machine.of(2).parts, 8);
  EXPECT_EQ(machine.of(4).parts, 4);  // two on each core
}

/// Two shards: 40 and 20 parts.
Plan plan_of_two(int processes) {
  Plan plan;
  plan.processes = processes;
  plan.shards.resize(2);
  plan.shards[0].bytes_in = 60;
  plan.shards[1].bytes_in = 40;
  plan.shards[0].bytes_out = 20;
  plan.shards[0].work.parts = 40;
  plan.shards[1].work.parts = 20;
  plan.shards[1].owner = processes - 1;
  return plan;
}

TEST(Predict, TheSlowestProcessDecides) {
  const Prediction alone = predict(plan_of_two(1), machine_of_two(), {1, 0});
  EXPECT_EQ(alone.seconds, 6);  // 60 parts, 10 in a second
  EXPECT_EQ(alone.balance, 1);
  const Prediction two = predict(plan_of_two(2), machine_of_two(), {1, 0});
  EXPECT_EQ(two.seconds, 5);  // 40 parts, 8 in a second beside another
  EXPECT_EQ(two.balance, 0.75);
  EXPECT_EQ(two.hours, 5.0 * 2 / 3600);
  EXPECT_EQ(two.read_rate, 20);
  EXPECT_EQ(two.write_rate, 4);
}

TEST(Predict, ProcessesOfTwoThreadsFillTheMachine) {
  const Prediction two = predict(plan_of_two(2), machine_of_two(), {2, 0});
  EXPECT_EQ(two.seconds, 40.0 / (2 * 8));  // each on a machine of its own
  EXPECT_EQ(predict(plan_of_two(2), machine_of_two(), {2, 2}).seconds, 40.0 / (2 * 4));
}

TEST(Predict, StorageMayBeWhatLimits) {
  MachineRates machine = machine_of_two();
  machine.storage_read = 10;
  machine.storage_write = 10;
  const Prediction two = predict(plan_of_two(2), machine, {1, 0});
  EXPECT_EQ(two.seconds, 12);
  EXPECT_TRUE(two.waits_for_storage);
}

TEST(Predict, WhereWorkersAreGpusThreadsDoNotCount) {
  MachineRates machine = machine_of_two();
  machine.has_gpus = true;
  EXPECT_EQ(predict(plan_of_two(1), machine, {16, 0}).seconds, 6);
}

}  // namespace
}  // namespace koine::pipeline
