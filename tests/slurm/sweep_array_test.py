"""koine submit of a sweep on a real Slurm: statistics, an array of evaluations, gathering; the results of one plain sweep."""
import json
import os

import mini_whisper as mini
from koine_cli import Case, koine, main
from slurm_cluster import SlurmCluster

JUDGE = """\
import json, os, sys, time
with open(os.environ["LEDGER"], "a") as ledger:
    ledger.write(os.environ["KOINE_KIND"] + " " + os.environ["KOINE_POINT"] + "\\n")
while "WAIT" in os.environ and not os.path.exists(os.environ["WAIT"]):
    time.sleep(0.05)
json.dump({"wer": abs(float(os.environ["KOINE_LAMBDA"] or 1) - 0.3)}, open(sys.argv[1], "w"))
"""
SWEEP = """\
recipe: lors.yaml
grid: {rank: [3, 7], lambda: [0, 0.1, 0.2, 0.3]}
evaluate: {command: "python3 judge.py {result}", metric: wer, format: run}
"""
RESULTS = ("results.csv", "results.json", "report.html", "best.yaml")


class SweepArray(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = SlurmCluster()
        mini.write_family(cls.root, experts=2)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), experts=2, parameters={"rank": 7, "density": 0.2, "lambda": 0.2})
        for name, text in (("judge.py", JUDGE), ("sweep.yaml", SWEEP), ("ours.yaml", "launcher_options: [--mpi=pmix]\n")):
            with open(os.path.join(cls.root, name), "w", encoding="utf-8") as file:
                file.write(text)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()
        super().tearDownClass()

    def contents(self, folder):
        found = {}
        for name in RESULTS:
            with open(self.path(folder, name), "rb") as file:
                found[name] = file.read()
        return found

    def ledger(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return sorted(file.read().splitlines())

    def submit(self, folder, *args, **env):
        done = self.run_ok("submit", "sweep.yaml", "--output", folder, "--cluster", "ours.yaml", "--cores", "1", "--time", "10", "--json",
                           *args, env={**self.cluster.environment, **env})
        return {job["purpose"]: job["id"] for job in json.loads(done.stdout.splitlines()[-1])["jobs"]}

    def test_statistics_then_an_array_then_gathering(self):
        self.run_ok("sweep", "sweep.yaml", "--output", "plain", env={"LEDGER": self.path("plain.ledger")})
        jobs = self.submit("array", "--nodes", "2", "--array", "3", LEDGER=self.path("array.ledger"))
        self.assertEqual(list(jobs), ["statistics", "points", "gather"])
        self.assertIn(f"afterok:{jobs['statistics']}", self.cluster.job(jobs["points"])["Dependency"])
        self.cluster.wait_for(jobs["gather"], "COMPLETED")
        for part in (1, 2, 3):
            self.assertEqual(self.cluster.job(f"{jobs['points']}_{part}")["JobState"], "COMPLETED")
        self.assertEqual(self.contents("array"), self.contents("plain"))
        self.assertEqual(self.ledger("array.ledger"), self.ledger("plain.ledger"), "each point was judged once, in whatever job")
        seen = json.loads(self.run_ok("status", "array", "--json", env=self.cluster.environment).stdout)
        self.assertEqual((seen["state"], seen["exit_code"], seen["done"]), ("complete", 0, seen["total"]))
        # Each part factorised nothing: the statistics had filled the cache.
        self.assertTrue(os.path.isdir(self.path("array", ".koine", "cache")))

    def test_one_task_is_requeued_alone(self):
        """The last task of an array has the array's own number: a requeue by that would start all of it again."""
        jobs = self.submit("task", "--nodes", "1", "--array", "2", LEDGER=self.path("task.ledger"), WAIT=self.path("go"))
        last = f"{jobs['points']}_2"
        self.cluster.until(lambda: os.path.exists(self.path("task.ledger")) and len(self.ledger("task.ledger")) >= 2, 60,
                           "both tasks judge a point")
        self.cluster.command("scancel", "--batch", "--signal=USR1", last)
        self.cluster.until(lambda: self.cluster.job(last)["Restarts"] == "1", 30, "the task is requeued",
                           lambda: f"{self.cluster.job(last)}\n{self.cluster.log(last)}")
        with open(self.path("go"), "w", encoding="utf-8"):
            pass
        self.cluster.wait_for(jobs["gather"], "COMPLETED")
        self.assertEqual(self.cluster.job(f"{jobs['points']}_1")["Restarts"], "0")
        self.run_ok("sweep", "sweep.yaml", "--output", "task-plain", env={"LEDGER": self.path("task-plain.ledger")})
        self.assertEqual(self.contents("task"), self.contents("task-plain"))

    def test_what_follows_a_failure_is_not_run(self):
        jobs = self.submit("fails", "--sbatch=--hold", LEDGER=self.path("fails.ledger"))
        os.rename(self.path("expert2"), self.path("gone"))
        try:
            self.cluster.command("scontrol", "release", jobs["statistics"])
            self.cluster.wait_for(jobs["statistics"], "FAILED")
            for name in ("points", "gather"):
                self.cluster.command("scontrol", "release", jobs[name], check=False)  # it may be cancelled already
            for name in ("points", "gather"):
                self.cluster.wait_for(jobs[name], "CANCELLED")
            self.assertIn("expert2", self.cluster.log(jobs["statistics"]))
        finally:
            os.rename(self.path("gone"), self.path("expert2"))

    def test_a_search_is_one_job(self):
        with open(self.path("golden.yaml"), "w", encoding="utf-8") as file:
            file.write("recipe: lors.yaml\nsearch: {method: golden, over: lambda, low: 0, high: 1, budget: 3}\n"
                       'evaluate: {command: "python3 judge.py {result}", metric: wer, format: run}\n')
        done = self.run_ok("submit", "golden.yaml", "--output", "golden", "--cluster", "ours.yaml", "--cores", "1", "--time", "10",
                           "--json", env={**self.cluster.environment, "LEDGER": self.path("golden.ledger")})
        jobs = json.loads(done.stdout.splitlines()[-1])["jobs"]
        self.assertEqual([job["purpose"] for job in jobs], ["sweep"])
        self.cluster.wait_for(jobs[0]["id"], "COMPLETED")
        self.assertEqual(koine("status", "golden", "--exit-code", cwd=self.root).returncode, 0)


if __name__ == "__main__":
    main()
