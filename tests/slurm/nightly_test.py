"""slurm/nightly.sh as a Slurm job that submits the next night by itself (BEGIN); the second night has one more expert."""
import json
import os
import shutil

import mini_whisper as mini
from koine_cli import KOINE, SOURCE, Case, main
from slurm_cluster import SlurmCluster

SCRIPT = os.path.join(SOURCE, "slurm", "nightly.sh")


class NightlyOnSlurm(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = SlurmCluster(nodes=1)
        mini.write_family(os.path.join(cls.root, "all"), experts=3)
        os.makedirs(os.path.join(cls.root, "experts"))

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()
        super().tearDownClass()

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def add(self, t):
        shutil.copytree(self.path("all", f"expert{t}"), self.path("experts", f"expert{t}"))

    def pending(self):
        return self.cluster.command("squeue", "-h", "-t", "PENDING", "-o", "%i").split()

    def current(self):
        return os.path.realpath(self.path("out", "current"))

    def factors(self):
        with open(os.path.join(self.current(), "timing.json"), encoding="utf-8") as file:
            ranks = json.load(file)["ranks"]
        return tuple(sum(rank[key] for rank in ranks) for key in ("matrices_factorised", "matrices_found"))

    def test_a_night_submits_the_next(self):
        for t in (1, 2):
            self.add(t)
        self.write("head.yaml", "merge_method: lors\nparameters: {lambda: 0.2, rank: 3}\n")
        self.write("nightly.conf", f"BASE={self.root}/all/base\nEXPERTS={self.root}/experts\nOUT={self.root}/out\nRECIPE={self.root}/head.yaml\n"
                                   f"KOINE={KOINE}\nBEGIN=22:00\nSBATCH=(--requeue --output={self.root}/%j.log)\n")
        first = self.cluster.command("sbatch", "--parsable", "--requeue", f"--output={self.root}/%j.log", SCRIPT, self.path("nightly.conf")).strip()
        self.cluster.wait_for(first, "COMPLETED")
        (second,) = self.pending()
        self.assertIn("T22:00:00", self.cluster.command("scontrol", "show", "job", second))
        published = self.current()
        made, _ = self.factors()
        self.add(3)
        self.cluster.command("scontrol", "update", f"JobId={second}", "StartTime=now")     # the evening has come
        self.cluster.wait_for(second, "COMPLETED")
        self.assertNotEqual(self.current(), published)
        self.assertEqual(self.factors(), (made // 2, made))
        (third,) = self.pending()
        self.cluster.command("scancel", third)
        self.assertEqual(self.pending(), [])


if __name__ == "__main__":
    main()
