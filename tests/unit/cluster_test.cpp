#include <fstream>
#include <regex>

#include <gtest/gtest.h>

#include "cluster/job_script.hpp"
#include "cluster/settings.hpp"
#include "cluster/submission.hpp"
#include "cluster/templates.hpp"
#include "support/temporary_folder.hpp"

namespace koine::cluster {
namespace {

using test::message_of;

class ClusterFile {
 public:
  [[nodiscard]] Settings read(const std::string& text) const {
    std::ofstream(folder_ / "ours.yaml") << text;
    return read_settings((folder_ / "ours.yaml").string());
  }
  [[nodiscard]] std::string error(const std::string& text) const {
    std::string message = message_of([&] { static_cast<void>(read(text)); });
    const auto at = message.find("ours.yaml");
    return at == std::string::npos ? message : message.substr(at);
  }

 private:
  test::TemporaryFolder folder_;
};

JobScript small_script() {
  JobScript script;
  script.name = "koine-five";
  script.what = "merge of lors.yaml";
  script.work = "/runs/five";
  script.job = "/runs/five/.koine/job";
  script.folder = "/home/me";
  script.program = "/usr/bin/koine";
  script.command = {"merge", "lors.yaml", "--output", "/runs/five"};
  script.version = "0.1.0";
  return script;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(SlurmTime, ReadsWhatSlurmReads) {
  EXPECT_EQ(slurm_seconds("90"), 90 * 60);
  EXPECT_EQ(slurm_seconds("90:30"), 90 * 60 + 30);
  EXPECT_EQ(slurm_seconds("01:02:03"), 3723);
  EXPECT_EQ(slurm_seconds("2-12"), 2 * 86400 + 12 * 3600);
  EXPECT_EQ(slurm_seconds("2-12:30"), 2 * 86400 + 12 * 3600 + 1800);
  EXPECT_EQ(slurm_seconds("1-00:00:01"), 86401);
  for (const char* text : {"", "x", "1:2:3:4", "1-", "-1", "1:", ":1", "1h", "1e9", "99999999"})
    EXPECT_EQ(slurm_seconds(text), 0) << text;
}

TEST(SlurmTime, IsWrittenInWholeMinutesRoundedUp) {
  EXPECT_EQ(slurm_time(1), "00:01:00");
  EXPECT_EQ(slurm_time(3600), "01:00:00");
  EXPECT_EQ(slurm_time(3601), "01:01:00");
  EXPECT_EQ(slurm_time(2 * 86400 + 60), "2-00:01:00");
}

TEST(ClusterSettings, EveryKeyIsRead) {
  const Settings s = ClusterFile().read(
      "partition: gpu\naccount: speech\nqos: night\nconstraint: a100\nreservation: koine\n"
      "sbatch: [--exclusive]\nmodules: [gcc/12, openmpi]\nsetup: |\n  ulimit -c 0\n"
      "launcher: mpirun\nlauncher_options: [--mca, btl, self]\nprogram: /opt/koine\n"
      "container: [apptainer, exec, /k.sif]\ngpu_request: gres\ngpu_type: h100\ngpus_per_node: 4\n"
      "cores_per_node: 64\nmemory_per_node: 500GB\nmax_time: 2-00:00:00\nsignal_seconds: 300\n");
  EXPECT_EQ(s.name, "ours");
  EXPECT_EQ(s.partition + s.account + s.qos + s.constraint + s.reservation,
            "gpuspeechnighta100koine");
  EXPECT_EQ(s.sbatch, std::vector<std::string>{"--exclusive"});
  EXPECT_EQ(s.modules, (std::vector<std::string>{"gcc/12", "openmpi"}));
  EXPECT_EQ(s.setup, "ulimit -c 0\n");
  EXPECT_EQ(s.launcher, Launcher::mpirun);
  EXPECT_EQ(s.launcher_options, (std::vector<std::string>{"--mca", "btl", "self"}));
  EXPECT_EQ(s.program, "/opt/koine");
  EXPECT_EQ(s.container.size(), 3);
  EXPECT_EQ(s.gpu_request, GpuRequest::gres);
  EXPECT_EQ(s.gpu_type, "h100");
  EXPECT_EQ(s.gpus_per_node, 4);
  EXPECT_EQ(s.cores_per_node, 64);
  EXPECT_EQ(s.memory_per_node, 500'000'000'000);
  EXPECT_EQ(s.max_time, 2 * 86400);
  EXPECT_EQ(s.signal_seconds, 300);
}

TEST(ClusterSettings, AllProblemsAtOnceWithTheirPlaces) {
  const std::string error = ClusterFile().error(
      "partitoin: gpu\nlauncher: srnu\nmodules: gcc\nmemory_per_node: much\nmax_time: soon\n"
      "cores_per_node: -1\ngpu_request: gres\n");
  for (const char* part :
       {"ours.yaml:1:1: unknown key 'partitoin' (did you mean 'partition'?)",
        "ours.yaml:2:11: launcher is 'srnu', expected srun, mpirun",
        "ours.yaml:3:10: modules is 'gcc', expected a list",
        "ours.yaml:4:18: memory_per_node is 'much', expected a size",
        "ours.yaml:5:11: max_time is 'soon', expected a time",
        "cores_per_node is -1, expected a whole number", "gpu_request without gpus_per_node"})
    EXPECT_NE(error.find(part), std::string::npos) << part << "\n" << error;
}

TEST(ClusterSettings, WhatIsNoMapIsRefused) {
  EXPECT_NE(ClusterFile().error("[srun]\n").find("expected keys and values"), std::string::npos);
  EXPECT_EQ(ClusterFile().read("").launcher, Launcher::srun);
}

TEST(ClusterSettings, TheProgramsOwnAreFoundByName) {
  for (const auto& [name, text] : own_clusters()) EXPECT_EQ(read_settings(name).name, name);
  EXPECT_EQ(read_settings("gpu").gpus_per_node, 4);
  const std::string error = message_of([] { static_cast<void>(read_settings("defualt")); });
  EXPECT_NE(error.find("did you mean 'default'?"), std::string::npos) << error;
}

TEST(JobScript, SaysWhatTheJobAsksFor) {
  JobScript script = small_script();
  script.shape = {.nodes = 2,
                  .processes = 8,
                  .cores = 16,
                  .gpus_per_node = 4,
                  .memory = std::int64_t{3} << 30,
                  .seconds = 3600,
                  .begin = "22:00"};
  Settings settings = read_settings("gpu");
  settings.gpu_type = "h100";
  settings.partition = "gpu";
  settings.sbatch = {"--exclusive"};
  const std::string text = text_of(script, settings);
  for (const char* line : {"#SBATCH --job-name=koine-five",
                           "#SBATCH --output=\"/runs/five/.koine/job/%j.log\"",
                           "#SBATCH --open-mode=append",
                           "#SBATCH --requeue",
                           "#SBATCH --signal=B:USR1@120",
                           "#SBATCH --nodes=2",
                           "#SBATCH --ntasks=8",
                           "#SBATCH --ntasks-per-node=4",
                           "#SBATCH --cpus-per-task=16",
                           "#SBATCH --mem=3072M",
                           "#SBATCH --time=01:00:00",
                           "#SBATCH --begin=22:00",
                           "#SBATCH --gpus-per-node=h100:4",
                           "#SBATCH --partition=gpu",
                           "#SBATCH --exclusive",
                           "work=/runs/five",
                           "koine=(/usr/bin/koine)",
                           "launch=(srun --kill-on-bad-exit=1 --cpus-per-task=16 --mpi=pmix)",
                           "command=(merge lors.yaml --output /runs/five)",
                           "max_requeues=10"})
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  EXPECT_FALSE(std::regex_search(text, std::regex("@[A-Z_]+@"))) << "a place is not filled in";
}

TEST(JobScript, AnArrayHasALogAndAPartEach) {
  JobScript script = small_script();
  script.shape.first_part = 1;
  script.shape.parts = 8;
  script.command = {"sweep", "s.yaml", "--part", "$SLURM_ARRAY_TASK_ID/8"};
  const std::string text = text_of(script, {});
  EXPECT_TRUE(has_line(text, "#SBATCH --array=1-8"));
  EXPECT_TRUE(has_line(text, "#SBATCH --output=\"/runs/five/.koine/job/%A_%a.log\""));
  EXPECT_TRUE(has_line(text, "work=/runs/five/\"$SLURM_ARRAY_TASK_ID\"")) << text;
  EXPECT_TRUE(has_line(text, "command=(sweep s.yaml --part \"$SLURM_ARRAY_TASK_ID/8\")"));
}

TEST(JobScript, MpirunModulesAndContainer) {
  Settings settings;
  settings.launcher = Launcher::mpirun;
  settings.modules = {"gcc/12", "my mpi"};
  settings.setup = "ulimit -c 0";
  settings.container = {"apptainer", "exec", "/my images/k.sif"};
  settings.program = "koine";
  JobScript script = small_script();
  script.shape.nodes = 2;
  script.shape.processes = 4;
  const std::string text = text_of(script, settings);
  EXPECT_TRUE(has_line(text, "launch=(mpirun -n 4 --map-by ppr:2:node --bind-to none)")) << text;
  EXPECT_TRUE(has_line(text, "module load 'my mpi' || exit 2\nulimit -c 0"));
  EXPECT_TRUE(has_line(text, "koine=(apptainer exec '/my images/k.sif' koine)"));
}

TEST(JobScript, PathsOfAnyKindAreQuoted) {
  JobScript script = small_script();
  script.work = "/runs/it's @WORK@ 100%";
  script.job = script.work / ".koine/job";
  const std::string text = text_of(script, {});
  EXPECT_TRUE(has_line(text, "work='/runs/it'\\''s @WORK@ 100%'")) << text;
  EXPECT_NE(text.find("--output=\"/runs/it's @WORK@ 100%%/.koine/job/%j.log\""), std::string::npos);
  script.job = "/runs/\"five\"";
  EXPECT_NE(
      message_of([&] { static_cast<void>(text_of(script, {})); }).find("choose another --output"),
      std::string::npos);
}

TEST(Submission, IsReadBackAndDamageCountsAsNone) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(read_submission(folder.path()));
  std::filesystem::create_directories(job_folder(folder.path()));
  write_submission(folder.path(), {"koine submit x", "/home", {{"12", "merge", "/m.sbatch"}}});
  const auto read = read_submission(folder.path());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->command, "koine submit x");
  EXPECT_EQ(read->folder, "/home");
  ASSERT_EQ(read->jobs.size(), 1);
  EXPECT_EQ(read->jobs[0].id + read->jobs[0].purpose + read->jobs[0].script, "12merge/m.sbatch");
  std::ofstream(job_folder(folder.path()) / "submit.json") << "{\"jobs\": 3}";
  EXPECT_FALSE(read_submission(folder.path()));
}

}  // namespace
}  // namespace koine::cluster
