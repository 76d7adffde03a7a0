#include "pipeline/evaluate_command.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "support/temporary_folder.hpp"

namespace koine::pipeline {
namespace {

using std::chrono::milliseconds;

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// True once no living process has this number; waits a moment for it.
bool is_dead(pid_t process) {
  for (int i = 0; i < 200; ++i) {
    const std::string status = text_of("/proc/" + std::to_string(process) + "/status");
    if (status.empty() || status.find("State:\tZ") != std::string::npos) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

/// The process number that a command wrote; waits for it.
pid_t process_in(const std::filesystem::path& path) {
  for (int i = 0; i < 500; ++i) {
    const std::string text = text_of(path);
    if (text.ends_with('\n')) return static_cast<pid_t>(std::stol(text));
    std::this_thread::sleep_for(milliseconds(10));
  }
  ADD_FAILURE() << path << " was never written";
  return 0;
}

class EvaluateCommand : public ::testing::Test {
 protected:
  [[nodiscard]] EvaluationCall call(const std::string& command) const {
    return {.command = command,
            .folder = folder_.path(),
            .point_folder = folder_ / "points/17",
            .values = {{"checkpoint", "a b/it's"}, {"point", "17"}, {"rank", "7"}},
            .metric = {.name = "wer", .regex = ""},
            .grace = milliseconds(200)};
  }
  [[nodiscard]] Evaluated run(const std::string& command) const { return evaluate(call(command)); }
  [[nodiscard]] std::filesystem::path point(const std::string& leaf) const {
    return folder_ / "points/17" / leaf;
  }
  /// In a process of its own, for a stop cannot be taken back: the exit code of the command's run,
  /// stopped so long after it has written `pid`; 0 where it was not.
  [[nodiscard]] int code_when_stopped(const std::string& command, milliseconds later) const {
    const pid_t evaluator = ::fork();
    if (evaluator == 0) {
      std::thread stopper([&] {
        (void)process_in(folder_ / "pid");
        std::this_thread::sleep_for(later);
        request_stop();
      });
      int code = 0;
      try {
        (void)run(command);
      } catch (const Interrupted& error) {
        code = static_cast<int>(error.code());
      }
      stopper.join();
      ::_exit(code);
    }
    int status = 0;
    ::waitpid(evaluator, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  test::TemporaryFolder folder_;
};

TEST_F(EvaluateCommand, ReadsTheResultFile) {
  const Evaluated found = run("echo hello; echo '{\"wer\": 12.5, \"n\": 40}' > {result}");
  EXPECT_EQ(found.status, EvaluationStatus::done) << found.message;
  EXPECT_EQ(found.metric, 12.5);
  EXPECT_EQ(found.n, 40);
  EXPECT_EQ(found.exit_code, 0);
  EXPECT_GT(found.seconds, 0);
  EXPECT_EQ(found.message, "");
  EXPECT_EQ(text_of(point("stdout.txt")), "hello\n");
  EXPECT_EQ(text_of(point("stderr.txt")), "");
}

TEST_F(EvaluateCommand, RunsInTheSweepsFolderWithItsValues) {
  const Evaluated found = run(
      "pwd; printf '%s|' {checkpoint} {rank} \"$KOINE_CHECKPOINT\" $KOINE_RANK $KOINE_POINT; echo;"
      "[ \"$KOINE_RESULT\" = \"$KOINE_POINT_DIR/result.json\" ] && cat && echo '{\"wer\":1}'");
  EXPECT_EQ(found.status, EvaluationStatus::done) << found.message;
  EXPECT_EQ(text_of(point("stdout.txt")), std::filesystem::canonical(folder_.path()).string() +
                                              "\na b/it's|7|a b/it's|7|17|\n{\"wer\":1}\n");
}

TEST_F(EvaluateCommand, RunsHereWhereNoFolderIsNamed) {
  EvaluationCall here = call("pwd; echo '{\"wer\":1}'");
  here.folder.clear();
  EXPECT_EQ(evaluate(here).metric, 1);
  EXPECT_TRUE(text_of(point("stdout.txt")).starts_with(std::filesystem::current_path().string()));
}

TEST_F(EvaluateCommand, IsNoProcessOfOurOwnJob) {
  const std::vector<std::pair<const char*, const char*>> ours{
      {"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_MCA_ess", "3"}, {"PMIX_RANK", "3"}, {"PMI_RANK", "3"},
      {"OMPI_MCA_btl", "self"},      {"KOINE_RANK", "ours"}};
  for (const auto& [name, value] : ours) ::setenv(name, value, 1);
  (void)run("env");
  for (const auto& [name, value] : ours) ::unsetenv(name);
  const std::string seen = text_of(point("stdout.txt"));
  EXPECT_EQ(seen.find("PMI"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("OMPI_COMM"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("OMPI_MCA_ess"), std::string::npos) << seen;
  EXPECT_NE(seen.find("OMPI_MCA_btl=self"), std::string::npos) << seen;
  EXPECT_NE(seen.find("KOINE_RANK=7\n"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("ours"), std::string::npos) << seen;
}

TEST_F(EvaluateCommand, HasTheSignalsOfAnyProgram) {
  ::signal(SIGPIPE, SIG_IGN);  // as the program does
  const Evaluated found = run("grep ^SigBlk: /proc/self/status; kill -s PIPE $$");
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(found.exit_code, 128 + SIGPIPE);
  EXPECT_EQ(text_of(point("stdout.txt")), "SigBlk:\t0000000000000000\n");
}

TEST_F(EvaluateCommand, AFailureIsOneWhateverItWrote) {
  const Evaluated found = run(
      "echo '{\"wer\":1}' | tee {result}; printf 'Traceback\\nValueError: \\377 no\\tmodel\\n\\n'"
      " >&2; exit 3");
  EXPECT_EQ(found.status, EvaluationStatus::failed);
  EXPECT_EQ(found.exit_code, 3);
  EXPECT_FALSE(found.metric);
  EXPECT_TRUE(found.numbers.empty());
  EXPECT_EQ(found.message,
            "the evaluation ended with exit code 3, saying \"ValueError: ? no model\"; its output "
            "lies in " +
                (folder_ / "points/17").string());
}

TEST_F(EvaluateCommand, SaysHowACommandEnded) {
  EXPECT_NE(run("no-such-program-here {checkpoint}").message.find("exit code 127, saying"),
            std::string::npos);
  const Evaluated killed = run("kill -s KILL $$");
  EXPECT_EQ(killed.exit_code, 128 + SIGKILL);
  EXPECT_NE(killed.message.find("exit code 137 (signal 9), without a word on stderr"),
            std::string::npos)
      << killed.message;
  EXPECT_EQ(run("if").status, EvaluationStatus::failed);  // no shell's syntax
}

TEST_F(EvaluateCommand, Exit75AsksForAnotherTry) {
  const Evaluated found = run("echo '{\"wer\":1}' > {result}; echo GPU is busy >&2; exit 75");
  EXPECT_EQ(found.status, EvaluationStatus::try_again);
  EXPECT_FALSE(found.metric);
  EXPECT_NE(found.message.find("GPU is busy"), std::string::npos) << found.message;
}

TEST_F(EvaluateCommand, AnEarlierTrysResultIsNotThisOnes) {
  EXPECT_EQ(run("echo '{\"wer\":1}' > {result}").metric, 1);
  const Evaluated found = run("true");
  EXPECT_EQ(found.status, EvaluationStatus::no_answer);
  EXPECT_NE(found.message.find("found neither"), std::string::npos) << found.message;
  EXPECT_EQ(run("mkdir -p {result}/x; echo '{\"wer\":1}'").status, EvaluationStatus::no_answer);
  EXPECT_EQ(run("ls \"$KOINE_POINT_DIR\"; echo '{\"wer\":2}'").metric, 2);
  EXPECT_EQ(text_of(point("stdout.txt")), "stderr.txt\nstdout.txt\n{\"wer\":2}\n");
}

TEST_F(EvaluateCommand, ATimeoutEndsAllOfIt) {
  EvaluationCall hanging = call(
      "trap '' TERM; (trap '' TERM; while :; do sleep 0.05; done) & echo $! > pid; "
      "while :; do sleep 0.05; done");
  hanging.timeout_seconds = 0.3;
  const Evaluated found = evaluate(hanging);
  EXPECT_EQ(found.status, EvaluationStatus::timed_out);
  EXPECT_EQ(found.exit_code, 128 + SIGKILL);
  EXPECT_NE(found.message.find("did not end within 0.3 s"), std::string::npos) << found.message;
  EXPECT_TRUE(is_dead(process_in(folder_ / "pid")));
}

TEST_F(EvaluateCommand, ATimeoutGivesTimeToTidyUp) {
  EvaluationCall hanging = call("trap 'echo tidy; exit 0' TERM; while :; do sleep 0.02; done");
  hanging.timeout_seconds = 0.2;
  hanging.grace = milliseconds(5000);
  EXPECT_EQ(evaluate(hanging).status, EvaluationStatus::timed_out);
  EXPECT_EQ(text_of(point("stdout.txt")), "tidy\n");
}

TEST_F(EvaluateCommand, NothingOutlivesACommandThatEnded) {
  EXPECT_EQ(run("sleep 600 & echo $! > pid; echo '{\"wer\":1}'").metric, 1);
  EXPECT_TRUE(is_dead(process_in(folder_ / "pid")));
}

TEST_F(EvaluateCommand, NothingOutlivesUsWhereWeAreKilled) {
  const pid_t evaluator = ::fork();
  if (evaluator == 0) {
    (void)run("trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done");
    ::_exit(0);
  }
  const pid_t command = process_in(folder_ / "pid");
  std::this_thread::sleep_for(milliseconds(100));  // for the watch to begin
  ASSERT_FALSE(text_of("/proc/" + std::to_string(command) + "/status").empty());
  ::kill(evaluator, SIGKILL);
  ::waitpid(evaluator, nullptr, 0);
  EXPECT_TRUE(is_dead(command));
}

TEST_F(EvaluateCommand, AStopEndsItAndIsThrown) {
  EXPECT_EQ(code_when_stopped("trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done",
                              milliseconds(0)),
            75);
  EXPECT_TRUE(is_dead(process_in(folder_ / "pid")));
}

TEST_F(EvaluateCommand, ASignalOfTheJobMayReachTheCommandFirst) {
  EXPECT_EQ(code_when_stopped("echo $$ > pid; kill -TERM $$", milliseconds(200)), 75);
}

TEST_F(EvaluateCommand, TakesMegabytesOfOutput) {
  const Evaluated found =
      run("yes 'a line of no interest' | head -c 30000000; yes err | head -c 3000000 >&2;"
          "echo; echo '{\"wer\": 3}'; echo bye");
  EXPECT_EQ(found.status, EvaluationStatus::done) << found.message;
  EXPECT_EQ(found.metric, 3);
  EXPECT_EQ(run("head -c 20000000 /dev/zero; exit 0").status, EvaluationStatus::no_answer);
}

TEST_F(EvaluateCommand, SeveralRunAtOnce) {
  std::vector<Evaluated> found(4);
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < found.size(); ++i) {
    workers.emplace_back([this, i, &found] {
      EvaluationCall mine = call("sleep 0.1; printf '{\"wer\": %s}' {point} > {result}");
      mine.point_folder = folder_ / ("points/" + std::to_string(i));
      mine.values = {{"point", std::to_string(i)}};
      found[i] = evaluate(mine);
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].metric, i) << found[i].message;
}

TEST_F(EvaluateCommand, RefusesBeforeAnythingRuns) {
  const auto message = [this](const EvaluationCall& bad) {
    return test::message_of([&] { (void)evaluate(bad); });
  };
  EXPECT_NE(message(call("touch ran; echo {chekpoint}")).find("did you mean 'checkpoint'?"),
            std::string::npos);
  EvaluationCall bad = call("touch ran");
  bad.folder /= "missing";
  EXPECT_NE(message(bad).find("is no folder"), std::string::npos) << message(bad);
  bad = call("touch ran");
  bad.metric.regex = "WER: [0-9]+";
  EXPECT_NE(message(bad).find("has no group"), std::string::npos) << message(bad);
  bad = call("touch ran; : " + std::string(300'000, 'x'));
  EXPECT_NE(message(bad).find("Argument list too long"), std::string::npos) << message(bad);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "ran"));
}

}  // namespace
}  // namespace koine::pipeline
