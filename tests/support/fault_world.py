"""What the rows of the reliability table share: small inputs, the bytes they must give, and merges that are spoilt on the way."""
import json
import os
import shutil
import subprocess
import tempfile

import mini_whisper as mini
from koine_cli import KOINE
from run_folders import command, contents

INTERPOSE = os.environ.get("KOINE_INTERPOSE", "build/cpu/tests/libkoine_interpose.so")


class Failure(AssertionError):
    """A promise that did not hold at some point."""


class World:
    """Seven shards, two experts, a merge of some hundredths of a second."""

    is_short = False  # the suite has some seconds a row: rows.py --seconds

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="koine-faults-")
        self.count = 0
        self.was_spoilt = False
        mini.write_family(self.root, experts=2, n_enc=3, n_dec=3)
        mini.write_recipe(os.path.join(self.root, "lors.yaml"), experts=2, parameters={"rank": 3, "density": 0.2, "lambda": 0.2})
        done = self.merge("plain")
        self.require(done.returncode == 0, f"the plain merge: {done.stderr}")
        self.expected = contents(self.path("plain"))

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def fresh(self):
        """The name of a run folder that is not there yet; the one before is removed."""
        shutil.rmtree(self.path(f"run{self.count}"), ignore_errors=True)
        self.count += 1
        return f"run{self.count}"

    def koine(self, *args, env=None, timeout=60):
        return subprocess.run([KOINE, *args], cwd=self.root, env={**os.environ, **(env or {})}, capture_output=True, text=True,
                              timeout=timeout, check=False)

    @staticmethod
    def arguments(run, *more, recipe="lors.yaml"):
        return ("merge", recipe, "--output", run, "--threads", "1", *more)

    def merge(self, run, *more, ranks=1, env=None, timeout=60):
        return subprocess.run(command(self.arguments(run, *more), ranks), cwd=self.root, env={**os.environ, **(env or {})},
                              capture_output=True, text=True, timeout=timeout, check=False)

    def spoilt(self, run, at, kind, for_ever=False, ranks=1, rank=0):
        """A merge whose `at`-th file call below the run folder fails or kills it; its result and how many calls it made."""
        counts = self.path(f"{run}.calls")
        env = {"LD_PRELOAD": os.path.abspath(INTERPOSE), "FAULT_FOLDER": self.path(run) + "/", "FAULT_AT": str(at),
               "FAULT_KIND": kind, "FAULT_FOREVER": str(int(for_ever)), "FAULT_COUNT": counts}
        if ranks > 1:
            env["FAULT_RANK"] = str(rank)
        done = self.merge(run, ranks=ranks, env=env)
        calls = 0
        if os.path.exists(counts):
            with open(counts, encoding="ascii") as file:
                calls = int(file.read() or 0)
            os.remove(counts)
        # A call that never came spoils nothing: beats come with time, and their calls with them.
        self.was_spoilt = at > 0 and (done.returncode != 0 or calls >= at)
        return done, calls

    def calls(self, ranks=1, rank=0):
        done, calls = self.spoilt(self.fresh(), 0, "none", ranks=ranks, rank=rank)
        self.require(done.returncode == 0 and calls > 0, f"{calls} calls counted: {done.stderr}")
        return calls

    @staticmethod
    def require(is_so, what):
        if not is_so:
            raise Failure(what)

    def require_unfinished(self, run):
        """Nothing takes an unfinished run for a complete one."""
        status = self.koine("status", run, "--exit-code")
        if os.path.exists(self.path(run, "manifest.json")):
            self.require(status.returncode == 0, f"status of a complete run: {status.returncode}")
            return
        self.require(self.koine("verify", run).returncode in (2, 5), "verify passes an unfinished run")
        self.require(self.koine("export", run, "--format", "hf", "--output", run + "-hf").returncode == 2,
                     "an unfinished run was exported")
        if os.path.exists(self.path(run, ".koine")):
            self.require(status.returncode != 0, "status calls an unfinished run complete")

    def require_resumed(self, run, ranks=1):
        done = self.merge(run, ranks=ranks)
        self.require(done.returncode == 0, f"resumed: {done.returncode}: {done.stderr}")
        self.require_expected(run)

    def require_expected(self, run):
        found = contents(self.path(run))
        self.require(found == self.expected, f"bytes differ: {sorted(set(found.items()) ^ set(self.expected.items()))[:4]}")
        left = [name for _, _, names in os.walk(self.path(run)) for name in names if ".tmp." in name]
        self.require(not left, f"left behind: {left}")

    def timing(self, run):
        with open(self.path(run, "timing.json"), encoding="utf-8") as file:
            return json.load(file)


class Row(World):
    """points() are tuples that JSON can hold, the same for the same build; check() raises Failure."""
    name = promise = ""

    def points(self):
        raise NotImplementedError

    def check(self, *point):
        raise NotImplementedError
