"""Eight kinds of spectra, odd and 4:1 and 1:4 shapes, ranks from 0 to full: the oracle's full SVD agrees on every matrix."""
import functools
import json
import os

import mini_whisper as mini
import numpy as np
from against_oracle import accepts
from koine_cli import Case, main

ROUNDING = 1e-10
WIDTH = 201  # odd, and wide enough for a Krylov space at rungs 8 and 16


def power(exponent):
    return lambda j: j ** -exponent


SIGMA = {
    "power_half": power(0.5),
    "power_two": power(2.0),
    "exponential": lambda j: np.exp(-j / 6),
    "spikes": lambda j: np.where(j <= 10, 10 - 0.5 * j, 0.3),
    "exact_rank": lambda j: np.where(j <= 5, 6 - j, 0.0),
    "clusters": lambda j: 0.6 ** np.floor((j - 1) / 5),  # rank 7 cuts one
}


def matrix(kind, shape, rng):
    if kind == "zero":
        return np.zeros(shape, np.float32)
    if kind == "flat_noise":
        return rng.standard_normal(shape).astype(np.float32)
    if kind == "quantised":  # an expert stored as fp16: many equal entries
        return np.round(rng.standard_normal(shape) * 8).astype(np.float32) / 8
    full = min(shape)
    left, _ = np.linalg.qr(rng.standard_normal((shape[0], full)))
    right, _ = np.linalg.qr(rng.standard_normal((shape[1], full)))
    return ((left * SIGMA[kind](np.arange(1.0, full + 1))) @ right.T).astype(np.float32)


# Where float32 decides which entries of tau - L are largest: the values are judged, the masks cannot be.
NO_MASK = {("spikes", 128): "the cut falls into seventy equal singular values",
           ("power_two", 128): "sigma_129 is 6e-5 of sigma_1, near the rounding of L"}
ENERGY = 1e-6  # of the best possible (contract of the engine)


def cuts_between_equals(row):
    """The gap lies below the rounding of tau itself: which of equal directions are kept is rounding too."""
    return 0 < row["low_rank"] < WIDTH and row["gap"] < 2.0 ** -24


def leaves_more_than_rounding(row):
    """Where L is all of tau but for its own rounding to float32, which entries are left largest means nothing."""
    left = row["tau_squared"] - row["energy"]
    return row["tau_squared"] == 0 or left > ROUNDING * row["tau_squared"]


KINDS = ("flat_noise", "quantised", "zero", *SIGMA)


class Spectra(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base = {n: np.zeros(s, np.float32) for n, s in mini.shapes(d=WIDTH, n_enc=1, n_dec=1)}
        mini.write_file(os.path.join(cls.root, "base", "model.safetensors"), base)
        for k, kind in enumerate(KINDS):  # the base is zero: tau has exactly the wanted spectrum
            rng = np.random.default_rng(k)
            expert = {n: matrix(kind, x.shape, rng) if mini.oracle.is_selected(n, x.shape) else x for n, x in base.items()}
            mini.write_file(os.path.join(cls.root, kind, "model.safetensors"), expert)

    def test_every_spectrum_at_every_rank(self):
        for kind in KINDS:
            mini.write_recipe(self.path(f"{kind}.yaml"), models=[kind])
            for kept in (0, 1, 7, 32, 128, WIDTH):
                with self.subTest(kind=kind, rank=kept):
                    self.judge(kind, kept)

    def judge(self, kind, kept):
        run, out = self.path("run"), self.path("out")
        self.run_ok("merge", f"{kind}.yaml", "--output", run, "--fresh", "--set", f"parameters.rank={kept}", "--set",
                    "parameters.density=0.2", "--set", "parameters.lambda=1")
        with open(os.path.join(run, "report.json")) as f:
            pruned = {t["name"]: t["experts"][0] for t in json.load(f)["tensors"] if t["treatment"] == "pruned"}
        rows = list(pruned.values())
        for name, row in pruned.items():
            self.assertTrue(row["certified"], row)
            self.assertLessEqual(row["residual"], 1e-6)
            self.assertGreaterEqual(row["energy"], (1 - ENERGY) * self.best_energy(kind, name, kept), name)
        self.run_ok("export", run, "--format", "hf", "--output", out)
        if (kind, kept) in NO_MASK:
            return
        if not all(leaves_more_than_rounding(row) for row in rows):
            self.close(out, kind)
        else:
            balanced = not any(cuts_between_equals(row) for row in rows)
            accepts(self, out, self.path("base"), [self.path(kind)], "lors", rank=kept, lam=1, balanced=balanced)

    @functools.cache
    def squares(self, kind, name):
        """sigma^2 of the expert's matrix, descending: the base is zero."""
        return np.linalg.svd(mini.oracle.Checkpoint(self.path(kind)).f64(name), compute_uv=False) ** 2

    def best_energy(self, kind, name, kept):
        return self.squares(kind, name)[:kept].sum()

    def close(self, out, kind):
        """Every entry within float32 rounding of the chain: (rank + 2) half units of the largest entry."""
        found, wanted = mini.oracle.Checkpoint(out), mini.oracle.Checkpoint(self.path(kind))
        for canon, name in wanted.by_canon.items():
            want, have = wanted.f64(name), found.f64(found.by_canon[canon])
            self.assertLessEqual(np.abs(have - want).max(), 130 * 2.0 ** -24 * np.abs(want).max(initial=0), name)


if __name__ == "__main__":
    main()
