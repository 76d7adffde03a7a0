"""density_over: model, killed while it looks for thresholds or merges, and resumed on other ranks: the same bytes."""
import glob
import json
import os
import shutil
import time

from koine_cli import Case, koine, main
from run_folders import contents, kill_after

MOMENTS = 10
MODEL = ("--set", "density_over=model", "--threads", "1")


class Kill(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = koine("synth", "--model", "tiny", "--layers", "2", "--experts", "2", "--output", "in", cwd=cls.root)
        assert made.returncode == 0, made.stderr
        began = time.time()
        done = koine("merge", "in/lors.yaml", "--output", "whole", *MODEL, cwd=cls.root)
        assert done.returncode == 0, done.stderr
        cls.seconds = time.time() - began
        cls.expected = contents(os.path.join(cls.root, "whole"))

    def test_ten_moments(self):
        hit, searching, merging = 0, 0, 0
        for moment in range(MOMENTS):
            run, ranks = f"killed{moment}", 1 + moment % 3
            args = ("merge", "in/lors.yaml", "--output", run, *MODEL)
            share = (moment + 0.5) / MOMENTS
            hit += kill_after(args, 0.3 * (ranks > 1) + share * self.seconds, ranks, self.root)
            has_thresholds = os.path.exists(self.path(run, ".koine", "thresholds.json"))
            if not os.path.exists(self.path(run, "manifest.json")):
                searching += not has_thresholds
                merging += has_thresholds
                self.assertIn(koine("verify", run, cwd=self.root).returncode, (2, 5))
            self.run_ok(*args, ranks=1 + (moment + 1) % 4)
            self.assertEqual(contents(self.path(run)), self.expected, f"killed at {share:.2f} on {ranks} ranks")
            self.assertFalse(os.path.exists(self.path(run, ".koine", "factors")))
        self.assertGreater(hit, MOMENTS // 3, "the kills came too late to mean anything")
        self.assertGreater(searching, 0)

    def killed_in_search(self, run, recipe="in/lors.yaml"):
        """Kills a merge once some factors are on disk and the thresholds are not."""
        args = ("merge", recipe, "--output", run, *MODEL)
        for share in (0.3, 0.2, 0.4, 0.15, 0.5):
            shutil.rmtree(self.path(run), ignore_errors=True)
            kill_after(args, share * self.seconds, 1, self.root)
            folder = self.path(run, ".koine", "factors")
            kept = glob.glob(os.path.join(folder, "??", "*.factors"))
            if kept and not os.path.exists(self.path(run, ".koine", "thresholds.json")):
                return args, folder, sorted(kept)
        self.skipTest("no kill fell into the search")

    def test_factors_are_not_made_twice(self):
        args, _, kept = self.killed_in_search("again")
        self.run_ok(*args)
        self.assertEqual(contents(self.path("again")), self.expected)
        with open(self.path("again", "timing.json")) as f:
            now = json.load(f)["ranks"][0]["matrices_factorised"]
        with open(self.path("whole", "timing.json")) as f:
            whole = json.load(f)["ranks"][0]["matrices_factorised"]
        self.assertEqual(now, whole - len(kept))

    def test_damaged_factors_are_made_again(self):
        args, folder, kept = self.killed_in_search("damaged")
        with open(kept[0], "r+b") as f:
            f.seek(os.path.getsize(kept[0]) // 2)
            f.write(b"\x55\x55\x55\x55")
        os.truncate(os.path.join(folder, kept[-1]), 10)
        self.run_ok(*args, ranks=2)
        self.assertEqual(contents(self.path("damaged")), self.expected)

    def edit(self, path):
        """One low bit of every 64 kB, same size and time stamp."""
        stat = os.stat(path)
        with open(path, "r+b") as f:
            for at in range(65536, stat.st_size, 65536):
                f.seek(at)
                byte = f.read(1)
                f.seek(at)
                f.write(bytes([byte[0] ^ 1]))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def test_inputs_edited_after_the_thresholds_are_refused(self):
        shutil.copytree(self.path("in"), self.path("in2"))
        args = ("merge", "in2/lors.yaml", "--output", "edited2", *MODEL)
        self.run_ok(*args)
        for leaf in ("manifest.json", ".koine/inputs.json"):
            os.remove(self.path("edited2", leaf))
        shutil.rmtree(self.path("edited2", ".koine", "journal"))      # every shard is to be merged again
        self.edit(self.path("in2", "expert1", "model.safetensors"))
        done = self.run_fails(2, *args)
        self.assertIn("expert1", done.stderr)
        self.assertIn("has changed since the run's thresholds were found", done.stderr)


if __name__ == "__main__":
    main()
