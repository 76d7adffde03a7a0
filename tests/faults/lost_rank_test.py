"""A process that dies, is stopped or hangs ends the job: in time, with one message, and the same command goes on."""
import os
import signal
import socket
import subprocess

from jobs import UNSEEN_BY_THE_LAUNCHER, Job
from koine_cli import Case, main
from run_folders import contents, whole_merge

STALL = 2           # seconds
ENDING = 5          # seconds from the limit, or from a death that the launcher sees, to the last process' end
FAKE_GPU = os.environ.get("KOINE_FAKE_GPU", "build/cpu/tests/fake_gpu")
HOST = socket.gethostname()


class Lost(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.expected = whole_merge(cls.root, "--model", "tiny", "--layers", "3", "--experts", "6")

    def args(self, run, *more):
        return ("merge", "in/lors.yaml", "--output", run, "--threads", "1", "--stall", STALL, *more)

    def begin(self, run, ranks, more=(), **kwargs):
        """A merge that is in its middle: its first shard has been written."""
        job = Job(self.args(run, *more), ranks, self.root, **kwargs)
        job.wait_for_file(self.path(run, ".koine", "journal"))
        return job

    def ends(self, job, seconds, code=None):
        found, took, left = job.finish(seconds)
        self.assertIsNotNone(found, f"still there after {seconds} s\n{job.said}")
        self.assertEqual(left, [], f"left after {took:.1f} s\n{job.said}")
        if code is not None:
            self.assertEqual(found, code, job.said)
        return found

    def says_once(self, job, *words):
        self.assertEqual(len(job.messages()), 1, job.said)
        for word in words:
            self.assertIn(word, job.messages()[0])

    def ends_by_itself(self, job, *words):
        """Where the launcher does not help, every rank finds out for itself, the last one that those before have gone."""
        self.ends(job, 60)
        self.assertTrue(job.messages(), job.said)
        for word in words:
            self.assertIn(word, job.messages()[0])

    def goes_on(self, run, ranks):
        self.run_ok("merge", "in/lors.yaml", "--output", run, "--threads", "1", ranks=ranks)
        self.assertEqual(contents(self.path(run)), self.expected)


class OverMpi(Lost):
    def test_stopped(self):
        for rank in (2, 0):
            with self.subTest(rank=rank):
                job = self.begin(f"stopped{rank}", 3)
                job.send(signal.SIGSTOP, rank)
                self.ends(job, STALL + ENDING, code=4)
                self.says_once(job, f"rank {rank} on host {HOST} has not been heard of for {STALL} s")
                self.goes_on(f"stopped{rank}", 2)

    def test_two_stopped(self):
        job = self.begin("stopped", 4)
        job.send(signal.SIGSTOP, 1, 3)
        self.ends(job, STALL + ENDING, code=4)
        self.says_once(job, f"rank 1 on host {HOST} and rank 3 on host {HOST} have not been heard of")

    def test_killed(self):
        job = self.begin("killed", 3)
        job.send(signal.SIGKILL, 1)
        self.assertNotEqual(self.ends(job, ENDING), 0)
        self.goes_on("killed", 4)

    def test_killed_unseen_by_the_launcher(self):
        job = self.begin("unseen", 3, launcher=UNSEEN_BY_THE_LAUNCHER)
        job.send(signal.SIGKILL, 1)
        self.ends_by_itself(job, f"rank 1 on host {HOST} has not been heard of")
        self.goes_on("unseen", 3)

    def test_a_job_that_is_suspended_goes_on(self):
        """All ranks stopped for twice the limit, as by a scheduler: nobody was heard of, nobody is lost."""
        job = self.begin("suspended", 3)
        job.send(signal.SIGSTOP, 0, 1, 2)
        with self.assertRaises(subprocess.TimeoutExpired):
            job.process.wait(timeout=2 * STALL)
        job.send(signal.SIGCONT, 2, 1, 0)
        self.ends(job, 60, code=0)
        self.assertEqual(contents(self.path("suspended")), self.expected)


class OverNccl(Lost):
    """With libraries in the places of the CUDA runtime and of NCCL (tests/fake_gpu)."""

    def gpus(self, fault="", count=4):
        return {"LD_LIBRARY_PATH": f"{FAKE_GPU}:{os.environ.get('LD_LIBRARY_PATH', '')}", "KOINE_FAKE_GPUS": str(count),
                "KOINE_FAKE_FAULT": fault, "KOINE_FAKE_FOLDER": self.root}

    def aborts(self):
        try:
            with open(self.path("aborts"), encoding="utf-8") as f:
                return sorted(f.read().split())
        except FileNotFoundError:
            return []

    def tearDown(self):
        if os.path.exists(self.path("aborts")):
            os.remove(self.path("aborts"))

    def test_same_bytes(self):
        for ranks in (1, 2, 3, 4):
            with self.subTest(ranks=ranks):
                done = self.run_ok(*self.args(f"nccl{ranks}", "--transport", "nccl", "-v"), ranks=ranks, env=self.gpus())
                self.assertIn("transport nccl", done.stderr)
                self.assertEqual(contents(self.path(f"nccl{ranks}")), self.expected)
        self.assertEqual(self.aborts(), [])

    def test_auto(self):
        for gpus, backend, chosen in ((2, "auto", "transport nccl"), (2, "cpu", "transport mpi"),
                                      (1, "auto", "transport mpi: ranks 0 and 1 share GPU-"),
                                      (0, "auto", "transport mpi: rank 0 on host ")):
            with self.subTest(gpus=gpus, backend=backend):
                done = self.run_ok(*self.args(f"auto{gpus}{backend}", "-v", "--backend", backend), ranks=2,
                                   env=self.gpus(count=gpus))
                self.assertIn(chosen, done.stderr)

    def test_impossible(self):
        for gpus, reason in ((1, "ranks 0 and 1 share GPU-"), (0, "no CUDA-capable device is detected")):
            with self.subTest(gpus=gpus):
                job = Job(self.args("never", "--transport", "nccl"), 2, self.root, env=self.gpus(count=gpus))
                self.ends(job, 20, code=3)
                self.says_once(job, "--transport nccl: ", reason, "use --transport mpi")
                self.assertFalse(os.path.exists(self.path("never")))

    def test_old_nccl(self):
        done = self.run_ok(*self.args("old", "-v"), ranks=2, env={**self.gpus(), "KOINE_FAKE_NCCL_VERSION": "21403"})
        self.assertIn("transport mpi: rank 0 on host " + HOST, done.stderr)
        self.assertIn("NCCL is 21403", done.stderr)

    def hangs(self, rank, call, operation):
        job = Job(self.args("hung", "--transport", "nccl"), 3, self.root, env=self.gpus(f"hang {rank} {call}"))
        self.ends(job, 60, code=4)
        self.says_once(job, operation, f"not finished in {STALL} s", f"waited for rank {rank} on host {HOST};")
        self.assertEqual(len(self.aborts()), len(set(self.aborts())), "abort was called twice")
        self.assertNotIn(str(rank), self.aborts())
        self.assertTrue(self.aborts())

    def test_hung(self):
        self.hangs(1, 1, "all-reduce of ")
        self.goes_on("hung", 2)

    def test_hung_root(self):
        self.hangs(0, 3, "all-reduce of 2 integers through NCCL")

    def test_hung_in_the_set_up(self):
        self.hangs(2, 0, "set-up through NCCL")

    def test_killed(self):
        job = Job(self.args("killed", "--transport", "nccl"), 3, self.root, env=self.gpus("kill 1 1"))
        self.assertNotEqual(self.ends(job, 60), 0)
        self.goes_on("killed", 3)

    def test_killed_unseen_by_the_launcher(self):
        job = Job(self.args("unseen", "--transport", "nccl"), 3, self.root, env=self.gpus("kill 2 1"),
                  launcher=UNSEEN_BY_THE_LAUNCHER)
        self.ends_by_itself(job, f"rank 2 on host {HOST}")
        self.assertEqual(len(self.aborts()), len(set(self.aborts())), "abort was called twice")

    def test_failed(self):
        job = Job(self.args("failed", "--transport", "nccl"), 2, self.root, env=self.gpus("fail 1 1"))
        self.ends(job, 60, code=4)
        self.says_once(job, "koine (rank 1)", "all-reduce of ", "unhandled system error")
        self.assertIn("1", self.aborts())

    def test_opened_only_when_wanted(self):
        for args in (("--help",), ("--version",), ("merge", "--help"), ("merge", "in/lors.yaml", "--output", "alone"),
                     ("merge", "in/lors.yaml", "--output", "alone", "--transport", "mpi")):
            with self.subTest(args=args):
                done = self.run_ok(*args, env={**self.gpus(), "LD_DEBUG": "files"})
                self.assertNotRegex(done.stderr, "libnccl|libcudart")


if __name__ == "__main__":
    main()
