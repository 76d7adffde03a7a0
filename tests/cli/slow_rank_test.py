"""Processes that are done merge what a slow one has not begun, whatever the plan said: the same bytes."""
import json
import os
import signal
import time

from jobs import Job
from koine_cli import Case, main
from run_folders import contents, whole_merge


def listed(folder):
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()


class SlowRank(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.expected = whole_merge(cls.root, "--model", "tiny", "--layers", "4", "--experts", "4")

    def planned(self, ranks):
        """{rank: {shard: tensors}}"""
        plan = json.loads(self.run_ok("plan", "in/lors.yaml", "--ranks", ranks, "--json").stdout)
        owned = {}
        for shard in plan["shards"]:
            owned.setdefault(shard["rank"], {})[shard["name"]] = shard["tensors"]
        return owned

    def until(self, holds, job):
        end = time.time() + 60
        while not holds():
            self.assertIsNone(job.process.poll(), "the job ended too early")
            self.assertLess(time.time(), end)
            time.sleep(0.002)

    def stop_one_of(self, ranks, slow):
        """A merge one of whose processes is stopped once it has begun a shard, and goes on when all else is done."""
        run = f"run{ranks}"
        owned = self.planned(ranks)
        claims, journal = self.path(run, ".koine", "claims"), self.path(run, ".koine", "journal")
        job = Job(("merge", "in/lors.yaml", "--output", run, "--threads", "1"), ranks, self.root)
        self.until(lambda: listed(claims) & set(owned[slow]), job)
        job.send(signal.SIGSTOP, slow)
        held = (listed(claims) & set(owned[slow])) - {name[:-5] for name in listed(journal)}
        everything = sum(len(shards) for shards in owned.values())
        self.until(lambda: len(listed(journal)) >= everything - len(held), job)
        job.send(signal.SIGCONT, slow)
        code, _, left = job.finish(60)
        self.assertEqual((code, left), (0, []), job.said)
        self.assertEqual(contents(self.path(run)), self.expected)
        self.assertFalse(os.path.exists(claims))
        with open(self.path(run, "timing.json"), encoding="utf-8") as f:
            merged = {rank["rank"]: rank["tensors"] for rank in json.load(f)["ranks"]}
        self.assertLess(merged[slow], sum(owned[slow].values()))
        self.assertEqual(sum(merged.values()), sum(sum(shards.values()) for shards in owned.values()))

    def test_of_two(self):
        self.stop_one_of(2, slow=1)

    def test_of_three(self):
        self.stop_one_of(3, slow=0)


if __name__ == "__main__":
    main()
