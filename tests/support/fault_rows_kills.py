"""Killed and failing at file calls: rows R1, R3, R4, R5 of docs/reference/reliability.md."""
import os
import random
import time

from fault_world import Row
from run_folders import kill_after


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


ROWS = {row.name: row for row in (KilledAtEveryCall, FaultsWhileResuming, KilledAtRandom, FailingCalls)}
