"""slurm/nightly.sh: new experts are picked up, factors kept, results published in one step, old nights removed."""
import glob
import json
import os
import shutil
import subprocess
import time

import mini_whisper as mini
from koine_cli import Case, KOINE, SOURCE, main, plain_build_only
from run_folders import contents

NIGHTLY = os.path.join(SOURCE, "slurm", "nightly.sh")


class Nightly(Case):
    def setUp(self):
        self.home = self.path(self.id().rsplit(".", 1)[1])
        mini.write_family(os.path.join(self.home, "all"), experts=3)
        os.makedirs(os.path.join(self.home, "experts"))
        for t in (1, 2):
            self.add(t)
        self.write("head.yaml", "merge_method: lors\nparameters: {lambda: 0.2, rank: 3}\n")
        self.configure()

    def write(self, name, text):
        with open(os.path.join(self.home, name), "w", encoding="utf-8") as file:
            file.write(text)

    def configure(self, more=""):
        home = self.home
        self.write("nightly.conf", f"BASE={home}/all/base\nEXPERTS={home}/experts\nOUT={home}/out\nRECIPE={home}/head.yaml\n"
                                   f"KOINE={KOINE}\nKEEP=2\n{more}\n")

    def add(self, t):
        shutil.copytree(os.path.join(self.home, "all", f"expert{t}"), os.path.join(self.home, "experts", f"it's-{t}"))

    def night(self, code=0):
        done = subprocess.run([NIGHTLY, os.path.join(self.home, "nightly.conf")], capture_output=True, text=True, timeout=300,
                              check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def current(self):
        return os.path.realpath(os.path.join(self.home, "out", "current"))

    def factorised(self):
        with open(os.path.join(self.current(), "timing.json"), encoding="utf-8") as file:
            return sum(rank["matrices_factorised"] for rank in json.load(file)["ranks"])

    @plain_build_only
    def test_nights(self):
        self.night()
        first, all_made = self.current(), self.factorised()
        self.assertGreater(all_made, 0)
        self.assertIn("nothing is new", self.night())
        self.assertEqual(self.current(), first)
        time.sleep(1.1)  # nights are named by the second
        self.add(3)
        self.night()
        self.assertNotEqual(self.current(), first)
        self.assertEqual(self.factorised(), all_made // 2, "of two experts before, one is new")
        recipe = glob.glob(os.path.join(self.home, "out", "recipes", "*.yaml"))
        self.run_ok("merge", sorted(recipe)[-1], "--output", self.home + "/plain")
        self.assertEqual(contents(self.current()), contents(self.home + "/plain"))
        for lambda_ in (0.3, 0.4):
            time.sleep(1.1)
            self.write("head.yaml", f"merge_method: lors\nparameters: {{lambda: {lambda_}, rank: 3}}\n")
            self.night()
        left = sorted(os.listdir(os.path.join(self.home, "out", "runs")))
        self.assertEqual(len(left), 2, left)
        self.assertFalse(os.path.exists(first))
        self.assertEqual(self.current(), os.path.join(os.path.realpath(self.home), "out", "runs", left[-1]))

    @plain_build_only
    def test_a_half_copied_expert_waits(self):
        self.add(3)
        path = os.path.join(self.home, "experts", "it's-3", "model.safetensors")
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) // 2)
        self.assertIn("left out", self.night())
        with open(os.path.join(self.current(), "manifest.json"), encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)["inputs"]), 3, "the base and two experts")

    @plain_build_only
    def test_a_failed_evaluation_publishes_nothing(self):
        self.night()
        first = self.current()
        time.sleep(1.1)
        self.add(3)
        self.configure("EVALUATE='test -e \"$CHECKPOINT/model.safetensors\" && echo too bad && false'")
        self.assertIn("not published", self.night(5))
        self.assertEqual(self.current(), first)
        time.sleep(1.1)
        self.configure("EVALUATE='test -e \"$CHECKPOINT/model.safetensors\"'")
        self.night()
        self.assertNotEqual(self.current(), first)

    @plain_build_only
    def test_an_interrupted_night_goes_on(self):
        self.configure("LAUNCH=(timeout --signal=USR1 0.01)")
        done = subprocess.run([NIGHTLY, os.path.join(self.home, "nightly.conf")], capture_output=True, text=True, timeout=300,
                              check=False)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertFalse(os.path.lexists(os.path.join(self.home, "out", "current")))
        with open(os.path.join(self.home, "out", "pending"), encoding="utf-8") as file:
            pending = file.read().split()[0]
        self.configure()
        self.night()
        self.assertEqual(os.path.basename(self.current()), pending)

    def test_wrong_settings(self):
        self.write("nightly.conf", f"BASE=x\nOUT={self.home}/out\nRECIPE=x\n")
        self.assertIn("sets no EXPERTS", self.night(2))
        self.configure("KEEP=none")
        self.assertIn("KEEP=none", self.night(2))
        self.configure(f"EXPERTS={self.home}/nothing")
        self.assertIn("no such folder", self.night(2))


if __name__ == "__main__":
    main()
