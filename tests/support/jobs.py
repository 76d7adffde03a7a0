"""Watching a job of several processes: its ranks, what it says, how long it takes to be gone."""
import os
import signal
import subprocess
import time

from koine_cli import KOINE
from run_folders import members

# Open MPI ends a job one of whose processes died. srun does not everywhere; this is how that looks: mpirun
# ends none of the others, and with 0, whatever they end with.
UNSEEN_BY_THE_LAUNCHER = ("--enable-recovery",)


class Job:
    """A running `mpirun -n RANKS koine …` with what it said in `said`, once it has ended."""

    def __init__(self, args, ranks, cwd, env=None, launcher=()):
        self.errors = open(os.path.join(cwd, "stderr.txt"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(["mpirun", "-n", str(ranks), *launcher, KOINE, *map(str, args)], cwd=cwd,
                                        env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL,
                                        stderr=self.errors, start_new_session=True)
        self.said = ""

    def pids(self):
        """{rank: process id} of the ranks that run."""
        found = {}
        for pid in members(self.process.pid):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    words = dict(w.split(b"=", 1) for w in f.read().split(b"\0") if b"=" in w)
            except OSError:
                continue
            if b"OMPI_COMM_WORLD_RANK" in words:
                found[int(words[b"OMPI_COMM_WORLD_RANK"])] = pid
        return found

    def wait_for_file(self, path, seconds=60):
        """Until a file is there, in the middle of the job."""
        end = time.time() + seconds
        while not os.path.exists(path):
            assert self.process.poll() is None and time.time() < end, f"no {path}\n{self.finish(0)}"
            time.sleep(0.005)

    def send(self, number, *ranks):
        pids = self.pids()
        for rank in ranks:
            os.kill(pids[rank], number)

    def finish(self, seconds):
        """Waits for the end, at most so long. Exit code (None: it went on), seconds, processes that were left."""
        began = time.time()
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            code = None
        took = time.time() - began
        left = self.settle(took, seconds)
        self.errors.seek(0)
        self.said = self.errors.read()
        self.errors.close()
        return code, took, left

    def settle(self, took, seconds):
        """Processes that outlive the launcher past the limit; ended here."""
        left = members(self.process.pid)
        while left and took < seconds:
            time.sleep(0.05)
            took += 0.05
            left = members(self.process.pid)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        return left

    def messages(self):
        """Lines in which a process says why the job ends."""
        return [line for line in self.said.splitlines() if line.startswith("koine (rank")]
