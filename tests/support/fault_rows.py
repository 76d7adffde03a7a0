"""The rows of docs/reference/reliability.md: for each its points, and what must hold at every one of them."""
import json
import os
import random
import shutil
import subprocess
import threading
import time

from fault_world import INTERPOSE, World
from koine_cli import KOINE
from run_folders import contents, kill_after


class Row(World):
    """points() are tuples that JSON can hold, the same for the same build; check() raises Failure."""
    name = promise = ""

    def points(self):
        raise NotImplementedError

    def check(self, *point):
        raise NotImplementedError


class KilledAtEveryCall(Row):
    name, promise = "R1", "SIGKILL at every file call, then resumed: the same bytes; nothing unfinished passes"

    def points(self):
        for ranks, rank in ((1, 0), (2, 0), (2, 1)):
            yield from ((ranks, rank, at) for at in range(1, self.calls(ranks, rank) + 1))

    def check(self, ranks, rank, at):
        run = self.fresh()
        self.spoilt(run, at, "kill", ranks=ranks, rank=rank)
        self.require_unfinished(run)
        self.require_resumed(run, ranks)


class FaultsWhileResuming(Row):
    name, promise = "R3", "killed, then killed or failing again while it resumes: the same bytes in the end"
    cases = 1000

    def points(self):
        calls = self.calls()
        for seed in range(self.cases):
            draw = random.Random(seed)
            kind = draw.choice(("kill", "eio", "enospc", "short", "eintr"))
            # A call that is interrupted for ever cannot end.
            yield draw.randint(1, calls), kind, draw.randint(1, calls), kind != "eintr" and draw.random() < 0.5

    def check(self, first, kind, second, for_ever):
        run = self.fresh()
        self.spoilt(run, first, "kill")
        self.spoilt(run, second, kind, for_ever)
        self.require_unfinished(run)
        self.require_resumed(run)


class KilledAtRandom(Row):
    name, promise = "R4", "killed at a random moment on 1 to 4 ranks: the same bytes, at most one shard of work lost per rank"
    cases = 1000

    def points(self):
        for seed in range(self.cases):
            draw = random.Random(seed)
            yield 1 + seed % 4, draw.random(), 1 + draw.randrange(4)

    def check(self, ranks, share, ranks_after):
        run = self.fresh()
        began = time.monotonic()
        lasts = self.lasts.get(ranks)
        if lasts is None:
            self.require(self.merge(run, ranks=ranks).returncode == 0, "the timed merge")
            lasts = self.lasts[ranks] = time.monotonic() - began
            run = self.fresh()
        kill_after(self.arguments(run), share * lasts, ranks, self.root)
        self.require_unfinished(run)
        journal = self.path(run, ".koine", "journal")
        finished = {name for name in os.listdir(journal) if name.endswith(".json")} if os.path.isdir(journal) else set()
        stamps = {name: os.stat(os.path.join(journal, name)).st_mtime_ns for name in finished}
        self.require_resumed(run, ranks_after)
        again = {name for name in finished if os.stat(os.path.join(journal, name)).st_mtime_ns != stamps[name]}
        self.require(not again, f"finished shards were merged again: {again}")

    lasts = {}


class FailingCalls(Row):
    name, promise = "R5", "EIO, ENOSPC, EINTR and short writes at every file call, once and for ever: code 0 or 6, one line, resumable"

    def points(self):
        calls = self.calls()
        for kind in ("eio", "enospc", "eintr", "short"):
            for for_ever in (False, True):
                if kind == "eintr" and for_ever:
                    continue
                yield from ((kind, for_ever, at) for at in range(1, calls + 1))

    def check(self, kind, for_ever, at):
        run = self.fresh()
        done, _ = self.spoilt(run, at, kind, for_ever)
        if kind in ("eintr", "short"):
            self.require(done.returncode == 0, f"{kind}: {done.returncode}: {done.stderr}")
        self.require(done.returncode in (0, 6), f"exit code {done.returncode}: {done.stderr}")
        if done.returncode == 6:
            line = [text for text in done.stderr.splitlines() if text.startswith("koine: ")]
            self.require(len(line) == 1 and run in line[0], f"its message: {done.stderr}")
            self.require_unfinished(run)
        self.require_resumed(run)


class Repaired(Row):
    name, promise = "R8", "damaged anywhere: verify says 5, the same merge redoes the damaged shards alone"
    cases = 100

    def points(self):
        names = sorted(name for name in self.expected if name != "manifest.json")
        for seed in range(self.cases):
            draw = random.Random(seed)
            yield draw.choice(names), draw.choice(("flip", "cut", "remove", "grow")), draw.random()

    def check(self, name, how, where):
        run = self.fresh()
        shutil.copytree(self.path("plain"), self.path(run))
        self.damage(self.path(run, name), how, where)
        self.require(self.koine("verify", run).returncode == 5, f"{how} of {name} passes verify")
        journal = self.path(run, ".koine", "journal")
        stamps = {leaf: os.stat(os.path.join(journal, leaf)).st_mtime_ns for leaf in os.listdir(journal)}
        self.require_resumed(run)
        redone = {leaf for leaf, stamp in stamps.items() if os.stat(os.path.join(journal, leaf)).st_mtime_ns != stamp}
        shard = os.path.basename(name).replace(".h5", ".json")
        self.require(redone == ({shard} if name.startswith("shards/") else set()), f"{name}: redone were {redone}")
        self.require(self.koine("verify", run).returncode == 0, "verify after the repair")

    @staticmethod
    def damage(path, how, where):
        size = os.path.getsize(path)
        at = min(size - 1, int(where * size))
        if how == "remove":
            os.remove(path)
            return
        with open(path, "r+b") as file:
            if how == "cut":
                file.truncate(at)
            elif how == "grow":
                file.seek(0, os.SEEK_END)
                file.write(b"x")
            else:
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ (1 << (size % 8))]))


class SameBytes(Row):
    name, promise = "R12", "the same bytes for 1 to 4 ranks, 1 and 2 threads, fresh, killed and resumed by others, cold and warm cache"

    def points(self):
        for ranks in (1, 2, 3, 4):
            for threads in (1, 2):
                for how in ("fresh", "killed", "resumed by others"):
                    for cache in ("cold", "warm"):
                        yield ranks, threads, how, cache

    def check(self, ranks, threads, how, cache):
        run, folder = self.fresh(), self.path(f"cache{self.count}")
        more = ("--threads", str(threads), "--cache", folder)
        if cache == "warm":
            self.require(self.merge(run, "--cache", folder).returncode == 0, "filling the cache")
            run = self.fresh()
        after = ranks
        if how != "fresh":
            self.spoilt(run, self.calls() // 2, "kill", ranks=ranks, rank=ranks - 1)
            self.require_unfinished(run)
            after = ranks if how == "killed" else 1 + ranks % 4
        arguments = [*self.arguments(run)[:4], *more]
        launcher = ["mpirun", "-n", str(after)] if after > 1 else []
        done = subprocess.run([*launcher, KOINE, *arguments], cwd=self.root, capture_output=True, text=True, timeout=60, check=False)
        self.require(done.returncode == 0, done.stderr)
        self.require_expected(run)
        shutil.rmtree(folder)


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


class ChangedInput(Row):
    name, promise = "R16", "an input edited between kill and resume, same size and time: refused, and named"

    def points(self):
        for model in ("base", "expert1", "expert2"):
            for share in (0.1, 0.3, 0.5, 0.7, 0.9):
                yield model, share

    def check(self, model, share):
        run = self.fresh()
        self.spoilt(run, int(self.calls() * 0.8), "kill")
        journal = self.path(run, ".koine", "journal")
        self.require(os.path.isdir(journal) and os.listdir(journal), "no shard was finished before the kill")
        path = self.path(model, "model.safetensors")
        shutil.copy2(path, path + ".kept")
        stat = os.stat(path)
        try:
            with open(path, "r+b") as file:  # the low bit of one byte in eight, in a fifth of the file
                begin = int(stat.st_size * share)
                for at in range(max(begin, stat.st_size // 50), min(stat.st_size, begin + stat.st_size // 5), 8):
                    file.seek(at)
                    byte = file.read(1)[0]
                    file.seek(at)
                    file.write(bytes([byte ^ 1]))
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            done = self.merge(run)
            self.require(done.returncode == 2 and model in done.stderr and "changed" in done.stderr,
                         f"{done.returncode}: {done.stderr}")
        finally:
            os.replace(path + ".kept", path)
        self.require_resumed(run)


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


ROWS = {row.name: row for row in (KilledAtEveryCall, FaultsWhileResuming, KilledAtRandom, FailingCalls, Repaired, SameBytes, TwoWriters,
                                  ChangedInput, Published, DiskPreflight)}
