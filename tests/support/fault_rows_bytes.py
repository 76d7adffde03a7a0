"""The same bytes, whatever came between, and damage that is found and mended: rows R8, R12, R16."""
import os
import random
import shutil
import subprocess

from fault_world import Row
from koine_cli import KOINE


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


ROWS = {row.name: row for row in (Repaired, SameBytes, ChangedInput)}
