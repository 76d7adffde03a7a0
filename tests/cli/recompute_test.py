"""verify --recompute: bits where this kind of machine merged; a band where another did, here one with OpenBLAS' kernels of 2008."""
import json
import os

import mini_whisper as mini
from koine_cli import Case, koine, main
from run_folders import rewrite_entry

LORS = {"rank": 5, "density": 0.2, "lambda": 0.2}
ELSEWHERE = {"OPENBLAS_CORETYPE": "Nehalem"}


class Recompute(Case):
    def setUp(self):
        mini.write_family(self.root, experts=2, d=64, n_enc=1, n_dec=1)
        mini.write_recipe(self.path("lors.yaml"), experts=2, parameters=LORS)

    def merge(self, env):
        self.run_ok("merge", "lors.yaml", "--output", "run", "--fresh", env=env)
        with open(self.path("run", "report.json")) as f:
            tensors = json.load(f)["tensors"]
        split = [tensor["name"] for tensor in tensors if any(":" in expert["method"] for expert in tensor["experts"])]
        dense = [tensor["name"] for tensor in tensors if tensor["name"] not in split]
        return split[0], dense[0]

    def verify(self):
        done = koine("verify", "run", "--recompute", "100%", "--json", cwd=self.root)
        return done, json.loads(done.stdout.splitlines()[0])

    def test_another_machine_s_run_lies_in_the_band(self):
        split, _ = self.merge(ELSEWHERE)
        for change in (0, 1e-8):
            rewrite_entry(self.path("run"), split, 100, change)
            done, report = self.verify()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((report["recomputed_by"], report["recomputed_differing"]), ("band", []))
            self.assertIn("held against the band", done.stderr)

    def test_what_is_out_of_the_band_is_told(self):
        split, dense = self.merge(ELSEWHERE)
        rewrite_entry(self.path("run"), split, 100, 0.5)
        rewrite_entry(self.path("run"), dense, 0, 1e-6)  # no band: the same bits everywhere
        done, report = self.verify()
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(report["recomputed_differing"], sorted([split, dense]))
        self.assertIn(f"tensor {split}: recomputed entries are out of the band", done.stderr)

    def test_this_machine_s_run_has_the_bits(self):
        split, _ = self.merge({})
        done, report = self.verify()
        self.assertEqual((done.returncode, report["recomputed_by"]), (0, "bits"), done.stderr)
        rewrite_entry(self.path("run"), split, 100, 1e-6)
        done, report = self.verify()
        self.assertEqual((done.returncode, report["recomputed_differing"]), (5, [split]), done.stderr)
        self.assertIn("recomputed bytes differ", done.stderr)

    def test_nothing_recomputed_says_nothing(self):
        self.merge({})
        self.assertIsNone(json.loads(self.run_ok("verify", "run", "--json").stdout.splitlines()[0])["recomputed_by"])


if __name__ == "__main__":
    main()
