"""Others at the same folder or disk: rows R15, R17, R18."""
import json
import os
import random
import subprocess
import threading
import time

from fault_world import INTERPOSE, Row
from koine_cli import KOINE
from run_folders import contents


class TwoWriters(Row):
    name, promise = "R15", "two merges into one folder: one works, the other ends with 2 within a second; a dead owner's folder is taken over"
    cases = 200
    slow = ("--set", "svd.mode=exact", "--set", "parameters.rank=48")

    def __init__(self):
        super().__init__()
        made = self.koine("synth", "--model", "tiny", "--layers", "1", "--experts", "1", "--output", "in")
        self.require(made.returncode == 0, made.stderr)

    def points(self):
        for seed in range(self.cases):
            yield seed, random.Random(seed).random() * 0.1

    def check(self, seed, delay):
        run = self.fresh()
        owner = self.begin(run)
        lock = self.path(run, ".koine", "plan.json")  # written under the lock
        end = time.monotonic() + 20
        while not os.path.exists(lock):
            self.require(owner.poll() is None and time.monotonic() < end, "the owner made no plan")
            time.sleep(0.001)
        time.sleep(delay)
        began = time.monotonic()
        other = self.begin(run)
        code = other.wait()
        took = time.monotonic() - began
        if owner.poll() is None:  # it was there all the while
            self.require(code == 2 and took < 1, f"the second ended with {code} after {took:.1f} s")
        if seed % 2:
            owner.kill()
        owner.wait()
        done = self.koine(*self.words(run))
        self.require(done.returncode == 0, f"after the owner's end: {done.stderr}")

    def words(self, run):
        return ("merge", "in/lors.yaml", "--output", run, "--threads", "1", *self.slow)

    def begin(self, run):
        return subprocess.Popen([KOINE, *self.words(run)], cwd=self.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Published(Row):
    name, promise = "R17", "a reader never sees a complete run that does not verify; the old one stays whole until the new one is"
    cases = 100

    def points(self):
        for seed in range(self.cases):
            yield seed, random.Random(seed).random()

    def check(self, seed, share):
        run = self.fresh()
        self.require(self.merge(run, "--set", "parameters.lambda=0.1").returncode == 0, "the old run")
        old = contents(self.path(run))
        wrong, is_over = [], threading.Event()

        def watch():
            while not is_over.is_set():
                try:
                    with open(self.path(run, "manifest.json"), "rb") as file:
                        text = file.read()
                    if b'"complete": true' not in text:
                        wrong.append("a manifest that is not complete")
                except OSError:
                    wrong.append("no manifest")
                time.sleep(0.001)

        reader = threading.Thread(target=watch)
        reader.start()
        if self.fresh_calls is None:
            self.fresh_calls = self.count_fresh(run)
            self.require(self.merge(run, "--set", "parameters.lambda=0.1", "--fresh").returncode == 0, "the old run again")
            wrong.clear()
        self.spoilt_fresh(run, 1 + int(share * self.fresh_calls) if seed % 4 else 0)
        is_over.set()
        reader.join()
        self.require(not wrong, f"seen in between: {wrong[:3]}")
        found = contents(self.path(run))
        self.require(found in (old, self.expected), "neither the old run nor the new one")
        self.require(self.koine("verify", run).returncode == 0, "what is there does not verify")
        done = self.merge(run, "--fresh")
        self.require(done.returncode == 0, done.stderr)
        self.require_expected(run)
        self.require(not os.path.exists(self.path(run + ".koine-fresh")), "a folder was left")

    fresh_calls = None

    def spoilt_fresh(self, run, at, **env):
        done = self.merge(run, "--fresh", env={"LD_PRELOAD": os.path.abspath(INTERPOSE), "FAULT_FOLDER": self.path(run), "FAULT_AT": str(at),
                                               "FAULT_KIND": "kill", **env})
        self.require(at == 0 or done.returncode in (0, -9), f"{done.returncode}: {done.stderr}")

    def count_fresh(self, run):
        counts = self.path("fresh.calls")
        self.spoilt_fresh(run, 0, FAULT_COUNT=counts)
        with open(counts, encoding="ascii") as file:
            return int(file.read())


class DiskPreflight(Row):
    name, promise = "R18", "predicted bytes within 1 % of those written; refused at the start where they do not fit"

    def __init__(self):
        super().__init__()
        made = self.koine("synth", "--model", "tiny", "--layers", "2", "--experts", "2", "--output", "in")
        self.require(made.returncode == 0, made.stderr)

    def points(self):
        for out_dtype in ("float32", "float16"):
            for shards in ("layer", "fine"):
                yield out_dtype, shards

    def check(self, out_dtype, shards):
        run = self.fresh()
        sets = ("--set", f"out_dtype={out_dtype}", "--set", f"output.shards={shards}", "--set", "svd.mode=fast")
        plan = self.koine("plan", "in/lors.yaml", "--output", run, "--json", *sets)
        self.require(plan.returncode == 0, plan.stderr)
        predicted = json.loads(plan.stdout)["bytes_written"]
        done = self.koine("merge", "in/lors.yaml", "--output", run, *sets)
        self.require(done.returncode == 0, done.stderr)
        written = sum(os.path.getsize(os.path.join(folder, leaf)) for folder, folders, leaves in os.walk(self.path(run))
                      for leaf in leaves if ".koine" not in folder)
        self.require(abs(written - predicted) <= 0.01 * written, f"{predicted} predicted, {written} written")
        self.require_refused(run + "-full", predicted, sets)

    def require_refused(self, run, predicted, sets):
        """On a disk with nine tenths of the room."""
        os.makedirs(self.path("disk"), exist_ok=True)
        size = int(predicted * 0.9)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.path("disk")], capture_output=True, check=False)
        self.require(mounted.returncode == 0, "no small disk can be mounted here (not root?)")
        try:
            done = self.koine("merge", "in/lors.yaml", "--output", f"disk/{run}", *sets)
            self.require(done.returncode == 6 and "free" in done.stderr, f"{done.returncode}: {done.stderr}")
            left = [leaf for _, _, leaves in os.walk(self.path("disk", run, "shards")) for leaf in leaves]
            self.require(not left, f"written all the same: {left}")
        finally:
            subprocess.run(["umount", self.path("disk")], check=False)


ROWS = {row.name: row for row in (TwoWriters, Published, DiskPreflight)}
