"""Other BLAS kernels sum in another order: the masks stay, but for entries at the threshold, and those are counted."""
import os

import mini_whisper as mini
import numpy as np
from koine_cli import Case, koine, main

# OpenBLAS' name of a kernel set and the flag of /proc/cpuinfo that it needs.
KERNELS = {"Haswell": "avx2", "SkylakeX": "avx512dq", "Cooperlake": "avx512_bf16", "Zen": "avx2", "Sandybridge": "avx", "Nehalem": "sse4_2"}
# Of the entries of all selected matrices. G and the products with it are Koine's own and have the same bits everywhere; what is left to
# BLAS (small factorisations) moves U and B by less than 1e-10 before they are rounded to float32 (6e-8). So at most one in a few
# hundred of their entries is rounded the other way, moves R by an ulp, and crosses the threshold once in 1e7 entries.
MOST_MOVED = 1e-6


def cpu_flags():
    with open("/proc/cpuinfo") as f:
        return next(line for line in f if line.startswith("flags")).split()


class Kernels(Case):
    def test_masks_stay(self):
        mini.write_family(self.root, experts=2, d=256, n_enc=1, n_dec=1, rank=16)
        mini.write_recipe(self.path("lors.yaml"), experts=2, parameters={"rank": 7, "density": 0.2, "lambda": 0.2})
        flags, merged = cpu_flags(), {}
        for kernel, flag in KERNELS.items():
            with self.subTest(kernel=kernel):
                if flag not in flags:
                    self.skipTest(f"this CPU has no {flag}")
                merged[kernel] = self.merge(kernel)
        self.assertIn("Haswell", merged)
        self.assertGreater(len(merged), 1)
        for kernel, tensors in merged.items():
            moved, total = self.moved(merged["Haswell"], tensors)
            print(f"{kernel}: {moved} of {total} entries on the other side of the threshold")
            self.assertLessEqual(moved, MOST_MOVED * total)

    def merge(self, kernel):
        env = {"OPENBLAS_CORETYPE": kernel}
        for args in (("merge", "lors.yaml", "--output", kernel), ("export", kernel, "--format", "hf", "--output", f"{kernel}-hf")):
            done = koine(*args, cwd=self.root, env=env)
            self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path(kernel, "manifest.json")) as f:
            self.assertIn(kernel.lower(), f.read().lower(), "the manifest names the arithmetic")
        found = mini.oracle.Checkpoint(self.path(f"{kernel}-hf"))
        return {n: found.f64(s) for n, s in found.by_canon.items() if mini.oracle.is_selected(n, found.shape(s))}

    def moved(self, a, b):
        """Entries that differ by more than the rounding of L: tau was taken in one and L in the other."""
        moved = total = 0
        for name, x in a.items():
            total += x.size
            moved += int((np.abs(x - b[name]) > 1e-6 * np.abs(x).max()).sum())
        return moved, total


if __name__ == "__main__":
    main()
