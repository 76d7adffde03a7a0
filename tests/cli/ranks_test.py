"""The same bytes on 1 to 4 ranks, with 1 to 4 threads, with much and with little memory; who reads and factorises what; totals that add up in bits."""
import json
import os

import mini_whisper as mini
from koine_cli import Case, koine, main
from run_folders import contents

TOTALS = ("tau_squared", "low_squared", "merged_squared", "energy", "kept")
MODEL = ("base_dot_delta", "delta_squared", "signs_total", "signs_agree", "overflows", "nonfinite")


def load(*parts):
    with open(os.path.join(*parts)) as f:
        return json.load(f)


class Ranks(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, n_enc=3, n_dec=3)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), parameters={"rank": 7, "density": 0.2, "lambda": 0.2})
        done = koine("merge", "lors.yaml", "--output", "one", "--threads", "1", cwd=cls.root)
        assert done.returncode == 0, done.stderr
        cls.expected = contents(os.path.join(cls.root, "one"))

    def test_same_bytes(self):
        for ranks in (1, 2, 3, 4):
            for threads, memory in ((1, "4GB"), (1, "120MB"), (2, "4GB"), (4, "160MB")):
                with self.subTest(ranks=ranks, threads=threads, memory=memory):
                    run = f"r{ranks}t{threads}m{memory}"
                    self.run_ok("merge", "lors.yaml", "--output", run, "--threads", threads, "--memory", memory, ranks=ranks)
                    self.assertEqual(contents(self.path(run)), self.expected)

    def test_too_little_memory_is_refused(self):
        done = self.run_fails(2, "merge", "lors.yaml", "--output", "less", "--memory", "1MB")
        self.assertIn("needs at least", done.stderr)

    def test_every_rank_has_work(self):
        self.run_ok("merge", "lors.yaml", "--output", "work", ranks=4)
        ranks = load(self.path("work", "timing.json"))["ranks"]
        self.assertEqual([r["rank"] for r in ranks], [0, 1, 2, 3])
        for rank in ranks:
            self.assertGreater(rank["matrices_factorised"], 0)
            self.assertGreater(rank["bytes_read"], 0)

    def test_totals_add_up_in_bits(self):
        report = load(self.path("one", "report.json"))
        for t, row in enumerate(report["totals"]["experts"]):
            for figure in TOTALS:
                total = 0
                for tensor in report["tensors"]:
                    total += tensor["experts"][t][figure]
                self.assertEqual(row[figure], total, figure)
        for figure in MODEL:
            total = 0
            for tensor in report["tensors"]:
                total += tensor["model"][figure]
            self.assertEqual(report["totals"]["model"][figure], total, figure)

    def test_figures_are_true(self):
        """Norms of the task vectors, recomputed by numpy; sums of n squares differ by at most n ulp."""
        import numpy as np
        base, expert = (mini.values(t, n_enc=3, n_dec=3) for t in (0, 2))
        report = load(self.path("one", "report.json"))
        for tensor in report["tensors"]:
            tau = (expert[tensor["canonical"]] - base[tensor["canonical"]]).astype(np.float64)
            want = float((tau ** 2).sum())
            row = tensor["experts"][1]
            self.assertLessEqual(abs(row["tau_squared"] - want), tau.size * 2.0 ** -52 * want)
            if tensor["treatment"] == "pruned":
                self.assertEqual(row["kept"], int(tau.size * 0.2))
                self.assertEqual(row["low_rank"], 7)
                self.assertTrue(row["certified"])
            else:
                self.assertEqual(row["kept"], tau.size)


if __name__ == "__main__":
    main()
