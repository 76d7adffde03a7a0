"""koine submit on a real Slurm: merges over nodes, warned, requeued, killed and cancelled; the bytes of a plain run each time."""
import json
import os

from koine_cli import KOINE, Case, koine, main
from run_folders import contents
from slurm_cluster import SlurmCluster

SRUN = "launcher: srun\nlauncher_options: [--mpi=pmix]\n"
# Two processes of one node that is no machine of its own would name their shared memory alike.
MPIRUN = "launcher: mpirun\nlauncher_options: [--mca, btl, 'self,tcp', --oversubscribe]\n"


class Submit(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = SlurmCluster()
        for name, text in (("srun.yaml", SRUN), ("mpirun.yaml", MPIRUN)):
            with open(os.path.join(cls.root, name), "w", encoding="utf-8") as file:
                file.write(text)
        made = koine("synth", "--model", "tiny", "--experts", "4", "--output", "in", cwd=cls.root)
        assert made.returncode == 0, made.stderr
        plain = koine("merge", "in/lors.yaml", "--output", "plain", "--set", "svd.mode=exact", cwd=cls.root)
        assert plain.returncode == 0, plain.stderr
        cls.expected = contents(os.path.join(cls.root, "plain"))

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()
        super().tearDownClass()

    def submit(self, run, *args, cluster="srun.yaml", cores="1"):
        """Submits the slow merge into `run`; the job's id."""
        done = self.run_ok("submit", "in/lors.yaml", "--output", run, "--set", "svd.mode=exact", "--cluster", cluster,
                           "--cores", cores, "--json", *args, env=self.cluster.environment)
        return json.loads(done.stdout.splitlines()[-1])["jobs"][-1]["id"]

    def finished(self, run):
        journal = self.path(run, ".koine", "journal")
        return len(os.listdir(journal)) if os.path.isdir(journal) else 0

    def wait_until_under_way(self, job, run):
        self.cluster.until(lambda: self.finished(run) >= 1, 60, f"{run} has a shard",
                           lambda: f"{self.cluster.job(job)}\n{self.cluster.log(job)}")

    def assert_complete(self, job, run, requeues):
        self.cluster.wait_for(job, "COMPLETED")
        self.assertEqual(contents(self.path(run)), self.expected)
        self.assertEqual(self.cluster.job(job)["Restarts"], str(requeues), self.cluster.log(job))
        self.assertEqual(koine("status", run, "--exit-code", cwd=self.root, env=self.cluster.environment).returncode, 0)

    def status(self, run):
        done = self.run_ok("status", run, "--json", env=self.cluster.environment)
        return json.loads(done.stdout)

    def test_a_merge_over_four_nodes(self):
        job = self.submit("four", "--nodes", "4", "--ranks", "4")
        self.assert_complete(job, "four", 0)
        with open(self.path("four", "timing.json"), encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)["ranks"]), 4)
        self.assertEqual(self.status("four")["state"], "complete")

    def test_mpirun_starts_it_too(self):
        job = self.submit("mpirun", "--nodes", "2", "--ranks", "2", cluster="mpirun.yaml")
        self.assert_complete(job, "mpirun", 0)

    def warned(self, run, cluster, *signal):
        job = self.submit(run, "--nodes", "2", "--ranks", "2", cluster=cluster)
        self.wait_until_under_way(job, run)
        seen = self.status(run)
        self.assertEqual((seen["state"], seen["job"]), ("running", job))
        self.assertGreaterEqual(len(seen["ranks"]), 1)
        self.cluster.command("scancel", *signal, job)
        self.assert_complete(job, run, 1)

    def test_warned_before_the_limit(self):
        """As Slurm does by --signal=B:USR1: the script hands it on."""
        self.warned("warned", "srun.yaml", "--batch", "--signal=USR1")

    def test_warned_at_the_processes(self):
        self.warned("steps", "srun.yaml", "--signal=USR1")

    def test_warned_under_mpirun(self):
        self.warned("warned-mpirun", "mpirun.yaml", "--batch", "--signal=USR1")

    def test_requeued_by_slurm(self):
        job = self.submit("requeued", "--nodes", "2", "--ranks", "2")
        self.wait_until_under_way(job, "requeued")
        self.cluster.command("scontrol", "requeue", job)
        self.assert_complete(job, "requeued", 1)

    def test_a_node_dies(self):
        job = self.submit("node", "--nodes", "2", "--ranks", "2")
        self.wait_until_under_way(job, "node")
        node = self.cluster.command("scontrol", "show", "hostnames", self.cluster.job(job)["NodeList"]).split()[-1]
        self.cluster.kill_node(node)
        try:
            self.assert_complete(job, "node", 1)
        finally:
            self.cluster.start_node(node)  # it comes back by itself, or is down until it is told to
            self.cluster.command("scontrol", "update", f"nodename={node}", "state=resume", check=False)

    def test_cancelled_stays_cancelled(self):
        job = self.submit("cancelled", "--nodes", "1", "--ranks", "1")
        self.wait_until_under_way(job, "cancelled")
        self.cluster.command("scancel", job)
        self.cluster.wait_for(job, "CANCELLED")
        seen = self.status("cancelled")
        self.assertIn(seen["state"], ("stopped", "running"))  # its last beat may be fresh
        done = koine("status", "cancelled", "--exit-code", cwd=self.root, env=self.cluster.environment)
        self.assertEqual(done.returncode, 75, done.stdout)
        self.cluster.until(lambda: self.status("cancelled")["state"] == "stopped", 20, "its processes are gone")
        self.assertIn("koine submit in/lors.yaml", koine("status", "cancelled", cwd=self.root).stderr)
        again = self.submit("cancelled", "--nodes", "1", "--ranks", "1")
        self.assert_complete(again, "cancelled", 0)

    def test_a_second_job_is_refused_while_one_is_there(self):
        job = self.submit("twice", "--begin", "now+1hour")
        self.assertEqual(self.status("twice")["state"], "waiting")
        done = self.run_fails(2, "submit", "in/lors.yaml", "--output", "twice", "--set", "svd.mode=exact", "--cluster",
                              "srun.yaml", env=self.cluster.environment)
        self.assertIn(f"job {job} of this folder is PENDING", done.stderr)
        self.cluster.command("scancel", job)

    def test_what_slurm_rejects(self):
        args = ("submit", "in/lors.yaml", "--output", "rejected", "--set", "svd.mode=exact", "--cluster", "srun.yaml")
        fine = self.run_ok(*args, "--cores", "1", "--test-only", env=self.cluster.environment)
        self.assertIn("to start at", fine.stderr)
        done = self.run_fails(2, *args, "--partition", "nosuch", "--test-only", env=self.cluster.environment)
        self.assertIn("invalid partition", done.stderr)
        refused = self.run_fails(2, *args, "--sbatch=--mem=999T", env=self.cluster.environment)
        self.assertIn("Slurm does not take it", refused.stderr)

    def test_changed_before_it_runs(self):
        """What was submitted is what runs: a recipe that says otherwise by then is refused."""
        job = self.submit_recipe("in/later.yaml", "later")
        with open(self.path("in", "later.yaml"), "a", encoding="utf-8") as file:
            file.write("\nothers: base\n")
        self.cluster.command("scontrol", "release", job)
        self.cluster.wait_for(job, "FAILED")
        self.assertIn("others", self.cluster.log(job))

    def submit_recipe(self, recipe, run):
        with open(self.path("in", "lors.yaml"), encoding="utf-8") as source, \
                open(self.path(recipe), "w", encoding="utf-8") as file:
            file.write(source.read())
        done = self.run_ok("submit", recipe, "--output", run, "--cluster", "srun.yaml", "--cores", "1", "--json", "--sbatch=--hold",
                           env=self.cluster.environment)
        return json.loads(done.stdout.splitlines()[-1])["jobs"][-1]["id"]

    def stub(self, name, code):
        """A program that stops a merge with this code at once, and is koine in everything else."""
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\n[ "$1" = merge ] && exit {code}\nexec {KOINE} "$@"\n')
        os.chmod(path, 0o755)
        with open(self.path(name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(f"{SRUN}program: {path}\n")
        return name + ".yaml"

    def test_not_requeued_without_progress(self):
        job = self.submit("stalled", "--nodes", "1", cluster=self.stub("stalls", 75))
        self.cluster.wait_for(job, "FAILED")
        self.assertEqual(self.cluster.job(job)["ExitCode"], "75:0")
        self.assertEqual(self.cluster.job(job)["Restarts"], "1")
        self.assertIn("two runs in a row finished nothing", self.cluster.log(job))

    def test_not_requeued_after_other_codes(self):
        for code in (2, 6):
            job = self.submit(f"code{code}", "--nodes", "1", cluster=self.stub(f"ends{code}", code))
            self.cluster.wait_for(job, "FAILED")
            self.assertEqual((self.cluster.job(job)["ExitCode"], self.cluster.job(job)["Restarts"]), (f"{code}:0", "0"))

    def test_requeued_no_more_than_allowed(self):
        job = self.submit("often", "--nodes", "1", "--max-requeues", "0", cluster=self.stub("stops", 75))
        self.cluster.wait_for(job, "FAILED")
        self.assertIn("the most allowed", self.cluster.log(job))


if __name__ == "__main__":
    main()
