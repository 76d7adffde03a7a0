"""density_over: model: the same bytes on any ranks and threads, the laws, and an independent numpy merge."""
import json
import os
import shutil

import h5py
import numpy as np

import mini_whisper as mini
from koine_cli import Case, koine, main
from run_folders import contents

EXPERTS = 3
DENSITY = 0.2


def load(*parts):
    with open(os.path.join(*parts)) as f:
        return json.load(f)


def tensors(run):
    with h5py.File(os.path.join(run, "model.h5")) as f:
        return {name: f["tensors"][name][()] for name in f["tensors"]}


def pruned(report):
    return [t for t in report["tensors"] if t["treatment"] == "pruned"]


def task_vectors(dtype):
    """[{canonical: float32 tau}] of the experts, from the stored values."""
    kind = {"fp32": np.float32, "fp16": np.float16}[dtype]
    stored = [{n: x.astype(kind).astype(np.float32) for n, x in mini.values(t).items()} for t in range(EXPERTS + 1)]
    return stored[0], [{n: s[n] - stored[0][n] for n in s} for s in stored[1:]]


def largest(residuals, k):
    """Masks of the k largest |residual| over all matrices: by a stable sort, so ties go to the first matrix and index."""
    flat = np.concatenate([np.abs(r).ravel() for r in residuals])
    mask = np.zeros(flat.size, bool)
    mask[np.argsort(-flat, kind="stable")[:k]] = True
    parts = np.split(mask, np.cumsum([r.size for r in residuals])[:-1])
    return [p.reshape(r.shape) for p, r in zip(parts, residuals)], np.sort(flat)[::-1][k - 1]


def low_rank(tau, rank):
    u, s, vt = np.linalg.svd(tau.astype(np.float64), full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ vt[:rank]


class DensityOverModel(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for dtype in ("fp32", "fp16"):
            folder = mini.write_family(os.path.join(cls.root, dtype), EXPERTS, dtype)
            for method in ("lors", "mp"):
                mini.write_recipe(os.path.join(folder, f"{method}.yaml"), method, EXPERTS, density_over="model",
                                  parameters={"rank": 5, "density": DENSITY, "lambda": 0.5})
        done = koine("merge", "fp32/lors.yaml", "--output", "one", "--threads", "1", cwd=cls.root)
        assert done.returncode == 0, done.stderr
        cls.expected = contents(os.path.join(cls.root, "one"))

    def test_same_bytes(self):
        for ranks in (1, 2, 3, 4):
            for threads in (1, 2):
                with self.subTest(ranks=ranks, threads=threads):
                    run = f"r{ranks}t{threads}"
                    self.run_ok("merge", "fp32/lors.yaml", "--output", run, "--threads", threads, ranks=ranks)
                    self.assertEqual(contents(self.path(run)), self.expected)
                    self.assertFalse(os.path.exists(self.path(run, ".koine", "factors")))

    def test_ties_are_the_same_on_any_ranks(self):
        self.run_ok("merge", "fp16/mp.yaml", "--output", "ties1", "--threads", "1")
        for ranks in (2, 3, 4):
            self.run_ok("merge", "fp16/mp.yaml", "--output", f"ties{ranks}", "--threads", "2", ranks=ranks)
            self.assertEqual(contents(self.path(f"ties{ranks}")), contents(self.path("ties1")))

    def test_factorises_once(self):
        timing = load(self.path("one", "timing.json"))
        matrices = len(pruned(load(self.path("one", "report.json"))))
        self.assertEqual(timing["ranks"][0]["matrices_factorised"], EXPERTS * matrices)

    def test_memory_limit_changes_nothing(self):
        self.run_ok("merge", "fp32/lors.yaml", "--output", "little", "--memory", "120MB")
        self.assertEqual(contents(self.path("little")), self.expected)

    def test_report_is_true(self):
        """Exactly k kept per expert, one threshold per expert, and verify, recompute and a second merge agree."""
        report = load(self.path("one", "report.json"))
        numel = sum(int(np.prod(t["shape"])) for t in pruned(report))
        for t in range(EXPERTS):
            rows = [tensor["experts"][t] for tensor in pruned(report)]
            self.assertEqual(sum(row["kept"] for row in rows), int(numel * DENSITY))
            self.assertEqual(len({row["threshold"] for row in rows}), 1)
            self.assertGreater(sum(row["ties"] for row in rows), 0)
            self.assertGreater(len({row["kept"] / np.prod(p["shape"]) for row, p in zip(rows, pruned(report))}), 1)
        done = self.run_ok("verify", "one", "--recompute", "100%")
        self.assertIn("merged again: all as written", done.stdout + done.stderr)
        self.run_ok("merge", "fp32/lors.yaml", "--output", "one")
        self.assertEqual(contents(self.path("one")), self.expected)

    def test_plan_tells_of_the_budget(self):
        self.assertIn("one per expert over all selected matrices", self.run_ok("plan", "fp32/lors.yaml").stdout)
        done = self.run_fails(2, "plan", "fp32/lors.yaml", "--set", "parameters.density=[0.1, 0.3]")
        self.assertIn("density_over: model needs one density per expert", done.stderr)

    def test_density_1_is_task_arithmetic(self):
        self.run_ok("merge", "fp32/lors.yaml", "--output", "all", "--set", "parameters.density=1", ranks=2)
        self.run_ok("merge", "fp32/lors.yaml", "--output", "ta", "--set", "merge_method=task_arithmetic")
        self.run_ok("diff", "all", "ta")

    def test_density_0_is_svp(self):
        self.run_ok("merge", "fp32/lors.yaml", "--output", "none", "--set", "parameters.density=0", ranks=2)
        self.run_ok("merge", "fp32/lors.yaml", "--output", "svp", "--set", "merge_method=svp")
        self.run_ok("diff", "none", "svp")
        for tensor in pruned(load(self.path("none", "report.json"))):
            self.assertEqual([(row["kept"], row["threshold"]) for row in tensor["experts"]], [(0, 0)] * EXPERTS)

    def test_one_matrix_alone_is_density_over_matrix(self):
        for recipe in ("fp32/lors.yaml", "fp16/mp.yaml"):
            one = ("merge", recipe, "--set", "select=[encoder.blocks.1.mlp.0.weight]", "--output")
            self.run_ok(*one, recipe + ".model", ranks=2)
            self.run_ok(*one, recipe + ".matrix", "--set", "density_over=matrix")
            self.run_ok("diff", recipe + ".model", recipe + ".matrix")

    def test_every_expert_has_its_own_budget(self):
        self.run_ok("merge", "fp32/lors.yaml", "--output", "own", "--set", "models[1].parameters.density=0.05")
        report, before = load(self.path("own", "report.json")), load(self.path("one", "report.json"))
        numel = sum(int(np.prod(t["shape"])) for t in pruned(report))
        self.assertEqual(sum(t["experts"][1]["kept"] for t in pruned(report)), int(numel * 0.05))
        for now, then in zip(pruned(report), pruned(before)):
            self.assertEqual(now["experts"][0], then["experts"][0])

    def test_damage_is_repaired(self):
        """A spoilt shard of a complete run is merged again with the thresholds that the run was made with."""
        shutil.copytree(self.path("one"), self.path("hurt"))
        shard = self.path("hurt", "shards", sorted(os.listdir(self.path("hurt", "shards")))[0])
        with open(shard, "r+b") as f:
            f.seek(os.path.getsize(shard) // 2)
            f.write(b"\x55" * 64)
        self.run_fails(5, "verify", "hurt")
        self.run_ok("merge", "fp32/lors.yaml", "--output", "hurt")
        self.assertEqual(contents(self.path("hurt")), self.expected)
        name = os.path.basename(shard)[:-len(".h5")]
        hurt = [t for t in pruned(load(self.path("hurt", "report.json"))) if t["shard"] == name]
        made = load(self.path("hurt", "timing.json"))["ranks"][0]["matrices_factorised"]
        self.assertEqual(made, EXPERTS * len(hurt))

    def test_lost_thresholds_are_found_again(self):
        shutil.copytree(self.path("one"), self.path("lost"))
        os.remove(self.path("lost", ".koine", "thresholds.json"))
        self.run_ok("merge", "fp32/lors.yaml", "--output", "lost", ranks=2)
        self.assertEqual(contents(self.path("lost")), self.expected)

    def test_nonfinite_matrix_has_no_share(self):
        folder = mini.write_family(self.path("nan"), EXPERTS)
        values = mini.values(2)
        values["encoder.blocks.0.attn.query.weight"][0, 0] = np.nan
        mini.write_file(os.path.join(folder, "expert2", "model.safetensors"), values)
        shutil.copy(self.path("fp32", "lors.yaml"), folder)
        done = self.run_fails(2, "merge", "nan/lors.yaml", "--output", "nan-run")
        self.assertIn("not finite", done.stderr)
        self.run_ok("merge", "nan/lors.yaml", "--output", "nan-one", "--allow-nonfinite")
        self.run_ok("merge", "nan/lors.yaml", "--output", "nan-two", "--allow-nonfinite", ranks=2)
        self.assertEqual(contents(self.path("nan-one")), contents(self.path("nan-two")))
        rows = [(t, t["experts"][1]) for t in pruned(load(self.path("nan-one", "report.json")))]
        finite = [(int(np.prod(t["shape"])), row) for t, row in rows if row["method"] != "dense"]
        self.assertEqual(len(finite), len(rows) - 1)
        self.assertEqual(sum(row["kept"] for _, row in finite), int(sum(n for n, _ in finite) * DENSITY))

    def merged_by_numpy(self, dtype, rank):
        """{canonical: float64 result}, {canonical: where any expert's entry may fall on either side}."""
        report = load(self.path(dtype + ".run", "report.json"))
        names = [t["canonical"] for t in pruned(report)]
        self.assertEqual(names, sorted(names))                       # the canonical order
        base, taus = task_vectors(dtype)
        out = {n: np.zeros(x.shape) for n, x in base.items()}
        near = {n: np.zeros(x.shape, bool) for n, x in base.items()}
        for t, tau in enumerate(taus):
            low = [low_rank(tau[n], rank) if rank else np.zeros(tau[n].shape) for n in names]
            residuals = [tau[n] - part for n, part in zip(names, low)]
            k = int(sum(r.size for r in residuals) * DENSITY)
            masks, threshold = largest(residuals, k)
            band = 4 * 2.0 ** -23 * max(np.abs(tau[n]).max() for n in names) if rank else 0
            self.assertLessEqual(abs(report["tensors"][0]["experts"][t].get("threshold", threshold) - threshold), band)
            for n, part, residual, mask in zip(names, low, residuals, masks):
                out[n] += np.where(mask, tau[n].astype(np.float64), part)
                near[n] |= np.abs(np.abs(residual) - threshold) <= band
            for n in tau.keys() - set(names):
                out[n] += tau[n].astype(np.float64)
        return {n: base[n].astype(np.float64) + 0.5 * x for n, x in out.items()}, near, names

    def test_mp_equals_numpy_in_bits(self):
        """float16 inputs: thousands of equal entries over the tensors; every bit of the result is determined."""
        self.run_ok("merge", "fp16/mp.yaml", "--output", "fp16.run", ranks=3)
        want, _, _ = self.merged_by_numpy("fp16", 0)
        ties = sum(t["experts"][0]["ties"] for t in pruned(load(self.path("fp16.run", "report.json"))))
        self.assertGreater(ties, 1)
        got = tensors(self.path("fp16.run"))
        for name, x in want.items():
            result = got[mini.stored(name, "hf")]
            self.assertTrue(np.array_equal(result.view(np.uint16), x.astype(np.float16).view(np.uint16)), name)

    def test_lors_equals_numpy_but_at_the_threshold(self):
        self.run_ok("merge", "fp32/lors.yaml", "--output", "fp32.run", ranks=3)
        want, near, names = self.merged_by_numpy("fp32", 5)
        got = tensors(self.path("fp32.run"))
        for name, x in want.items():
            tolerance = 2.0 ** -22 * np.abs(x).max() + 1e-9
            differs = np.abs(got[mini.stored(name, "hf")].astype(np.float64) - x) > tolerance
            self.assertFalse((differs & ~near[name]).any(), name)
        self.assertLess(sum(n.sum() for n in near.values()), 1e-3 * sum(want[n].size for n in names))


if __name__ == "__main__":
    main()
