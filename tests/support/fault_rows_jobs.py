"""Rows of docs/reference/reliability.md that need jobs of several processes: ranks that die or hang, Slurm's signals."""
import json
import os
import random
import signal
import subprocess
import time

from fault_world import World
from koine_cli import KOINE
from run_folders import contents, members, start
from slurm_cluster import SlurmCluster

STALL = 2      # seconds: --stall
SECONDS = 5    # within which all is over
SLOW = ("--set", "svd.mode=exact")


class SlowWorld(World):
    """A merge of some seconds: time to send signals in."""

    def __init__(self):
        super().__init__()
        made = self.koine("synth", "--model", "tiny", "--experts", "3", "--output", "in")
        self.require(made.returncode == 0, made.stderr)
        done = self.koine("merge", "in/lors.yaml", "--output", "slow", *SLOW)
        self.require(done.returncode == 0, done.stderr)
        self.slow = contents(self.path("slow"))

    def require_slow(self, run):
        self.require(contents(self.path(run)) == self.slow, "bytes differ from those of a plain run")


class DiesOrStalls(SlowWorld):
    name, promise = "R13", (f"one rank of 2 to 4 is killed: all are gone in {SECONDS} s; stopped: in {SECONDS} s after --stall, with code 4; "
                            "resumed, the same bytes")
    cases = 100

    def points(self):
        for seed in range(self.cases):
            draw = random.Random(seed)
            ranks = 2 + seed % 3
            yield ranks, draw.randrange(ranks), draw.choice(("kill", "stop")), draw.random()

    def check(self, ranks, victim, how, delay):
        run = self.fresh()
        arguments = ("merge", "in/lors.yaml", "--output", run, "--threads", "1", "--stall", str(STALL), *SLOW)
        process = start(arguments, ranks, self.root)
        beat = self.path(run, ".koine", f"beat.{victim}")
        try:
            end = time.monotonic() + 30
            while not os.path.exists(beat):
                self.require(process.poll() is None and time.monotonic() < end, "no beat of the victim")
                time.sleep(0.01)
            time.sleep(delay)
            with open(beat, encoding="utf-8") as file:
                pid = json.load(file)["process"]
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL if how == "kill" else signal.SIGSTOP)
            limit = SECONDS + (STALL if how == "stop" else 0)
            process.wait(timeout=limit + 20)
            while [p for p in members(process.pid) if p != process.pid]:  # a killed one may still be on its way out
                self.require(time.monotonic() - began <= limit, "processes are left")
                time.sleep(0.01)
            took = time.monotonic() - began
            self.require(took <= limit, f"{took:.1f} s until the job had ended")
        except subprocess.TimeoutExpired:
            self.require(False, f"the job had not ended {limit + 20} s later")
        finally:
            for p in members(process.pid):
                os.kill(p, signal.SIGKILL)
        if process.returncode != 0:
            code = self.koine("status", run, "--exit-code").returncode
            self.require(code in ((4,) if how == "stop" else (4, 75)), f"status --exit-code {code} after {how}")
        done = self.koine("merge", "in/lors.yaml", "--output", run, *SLOW)
        self.require(done.returncode == 0, done.stderr)
        self.require_slow(run)


class SlurmRequeues(SlowWorld):
    name, promise = "R14", f"Slurm's warning and its requeue (TERM), up to 20 in a row: exit within {SECONDS} s each, the same bytes in the end"
    def __init__(self):
        super().__init__()
        self.cluster = SlurmCluster(nodes=2)
        with open(self.path("ours.yaml"), "w", encoding="utf-8") as file:
            file.write("launcher_options: [--mpi=pmix]\n")

    def close(self):
        self.cluster.stop()
        super().close()

    def points(self):
        yield from (("warning", 20), ("step", 20), ("requeue", 20))

    def finished(self, run):
        journal = self.path(run, ".koine", "journal")
        return len(os.listdir(journal)) if os.path.isdir(journal) else 0

    def check(self, how, times):
        times = 3 if self.is_short else times
        run = self.fresh()
        done = subprocess.run([KOINE, "submit", "in/lors.yaml", "--output", run, "--cluster", "ours.yaml", "--cores", "1", "--nodes", "2",
                               "--ranks", "2", "--max-requeues", "100", "--json", *SLOW], cwd=self.root, capture_output=True, text=True,
                              env={**os.environ, **self.cluster.environment}, check=False)
        self.require(done.returncode == 0, done.stderr)
        job = json.loads(done.stdout.splitlines()[-1])["jobs"][0]["id"]
        interrupted = 0
        while interrupted < times and self.interrupt(run, job, how, interrupted):
            interrupted += 1
        self.require(interrupted >= min(times, 5), f"interrupted {interrupted} times only")
        self.cluster.wait_for(job, "COMPLETED", 300)
        self.require_slow(run)

    interrupted = None

    def process(self, run):
        """Of the root, by its last beat."""
        try:
            with open(self.path(run, ".koine", "beat.0"), encoding="utf-8") as file:
                return json.load(file)["process"]
        except (OSError, ValueError):
            return None

    def interrupt(self, run, job, how, n):
        """False where the merge was over first."""
        while self.cluster.job(job)["JobState"] != "RUNNING" or self.process(run) in (None, self.interrupted):
            if self.cluster.job(job)["JobState"] == "COMPLETED":
                return False
            time.sleep(0.05)
        self.interrupted = self.process(run)
        if n % 2 == 0:  # every second time it gets a shard done, so that it is not taken for stalled
            known = self.finished(run)
            while self.finished(run) == known and self.cluster.job(job)["JobState"] == "RUNNING":
                time.sleep(0.02)
        began = time.monotonic()
        words = {"warning": ("scancel", "--batch", "--signal=USR1", job), "step": ("scancel", "--signal=USR1", job),
                 "requeue": ("scontrol", "requeue", job)}[how]
        self.cluster.command(*words, check=False)
        while self.cluster.job(job)["JobState"] == "RUNNING":
            self.require(time.monotonic() - began < SECONDS, f"still running {SECONDS} s after {how}")
            time.sleep(0.05)
        return True


ROWS = {row.name: row for row in (DiesOrStalls, SlurmRequeues)}
