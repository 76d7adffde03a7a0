"""--backend: what is said where there is no GPU; whole merges by the CUDA library on an emulated device against the CPU's."""
import json
import os
import re
import subprocess
import sys
import unittest

import h5py
import mini_whisper as mini
import numpy as np
from koine_cli import Case, koine, main
from run_folders import contents

EMULATED = os.environ.get("KOINE_EMULATED_CUDA", "")
FIGURES = os.path.join(os.environ["KOINE_SOURCE"], "scripts", "lib", "gpu_figures.py")
NO_LIBRARY = {"KOINE_CUDA_LIBRARY": "/no/such/library.so"}
LORS = {"rank": 5, "density": 0.2, "lambda": 0.2}


def load(*parts):
    with open(os.path.join(*parts)) as f:
        return json.load(f)


def tensors(run):
    with h5py.File(os.path.join(run, "model.h5")) as model:
        return {name: tensor[()] for name, tensor in model["tensors"].items()}


def share_of_equal_bits(ours, theirs):
    equal = sum(np.count_nonzero(x.view(np.uint16) == theirs[name].view(np.uint16)) for name, x in ours.items())
    return equal / sum(x.size for x in ours.values())


def methods_of(run):
    rows = [e for tensor in load(run, "report.json")["tensors"] for e in tensor["experts"]]
    return {row["method"] for row in rows}


class Backend(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # 192: large enough for a Krylov space; five experts: more than a batch.
        mini.write_family(cls.root, experts=5, dtype="fp16", d=192, n_enc=1, n_dec=1)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), experts=5, parameters=LORS, out_dtype="float16")
        # An emulated device takes its time: fewer experts and matrices where one of each kind will do.
        mini.write_recipe(os.path.join(cls.root, "few.yaml"), experts=2, parameters=LORS, out_dtype="float16", select=["query", "fc1"])
        for recipe, run in (("lors.yaml", "cpu"), ("few.yaml", "few-cpu")):
            done = koine("merge", recipe, "--output", run, "--backend", "cpu", cwd=cls.root)
            assert done.returncode == 0, done.stderr


class WithoutADevice(Backend):
    def test_cuda_ends_with_one_line(self):
        done = self.run_fails(3, "merge", "lors.yaml", "--output", "x", "--backend", "cuda", env=NO_LIBRARY)
        lines = [line for line in done.stderr.splitlines() if line.startswith("koine: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn("--backend cpu", lines[0])
        self.assertFalse(os.path.exists(self.path("x")))

    def test_auto_merges_on_the_cpu_and_says_so_once(self):
        done = self.run_ok("merge", "lors.yaml", "--output", "auto", env=NO_LIBRARY)
        self.assertEqual(done.stderr.count("on the CPU: libkoine_cuda.so"), 1, done.stderr)
        self.assertEqual(contents(self.path("auto")), contents(self.path("cpu")))

    def test_auto_on_two_ranks_says_so_once(self):
        done = self.run_ok("merge", "lors.yaml", "--output", "auto2", env=NO_LIBRARY, ranks=2)
        self.assertEqual(done.stderr.count("on the CPU: rank 0: libkoine_cuda.so"), 1, done.stderr)
        self.assertEqual(contents(self.path("auto2")), contents(self.path("cpu")))


@unittest.skipUnless(os.path.exists(EMULATED), "the emulated CUDA library is not built")
class OnAnEmulatedDevice(Backend):
    def merge(self, output, *args, recipe="few.yaml", fail="", ranks=0, **env):
        env = {"KOINE_CUDA_LIBRARY": EMULATED, "KOINE_EMULATED_FAIL": fail, **env}
        return koine("merge", recipe, "--output", output, "--backend", "cuda", *args, cwd=self.root, env=env, ranks=ranks)

    def merge_ok(self, *args, **kwargs):
        done = self.merge(*args, **kwargs)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_a_merge_is_the_cpus(self):
        self.merge_ok("cuda", recipe="lors.yaml")
        self.assertGreaterEqual(share_of_equal_bits(tensors(self.path("cuda")), tensors(self.path("cpu"))), 0.999)
        self.run_ok("verify", "cuda")
        solvers = {m for m in methods_of(self.path("cuda")) if ":" in m}
        self.assertIn("cuda:krylov", solvers)
        self.assertLessEqual(solvers, {"cuda:krylov", "cuda:syevd"})
        arithmetic = load(self.path("cuda"), "manifest.json")["arithmetic"]
        self.assertEqual((arithmetic["backend"], arithmetic["device"], arithmetic["batch"]), ("cuda", "emulated device", 8))
        ours, theirs = load(self.path("cuda"), "report.json")["totals"], load(self.path("cpu"), "report.json")["totals"]
        for a, b in zip(ours["experts"], theirs["experts"]):
            self.assertEqual(a["kept"], b["kept"])
            for figure in ("tau_squared", "low_squared", "merged_squared", "energy"):
                self.assertAlmostEqual(a[figure] / b[figure], 1, delta=1e-6, msg=figure)
        # An entry on the threshold may change sides, and its sign with it.
        self.assertAlmostEqual(ours["model"]["signs_total"] / theirs["model"]["signs_total"], 1, delta=1e-3)

    def test_a_device_that_is_slow_in_float64(self):
        slow = {"KOINE_EMULATED_CAPABILITY": "89"}
        self.merge_ok("slow", "--threads", "1", **slow)
        self.assertIn("cuda:krylov-gram32", methods_of(self.path("slow")))
        self.assertGreaterEqual(share_of_equal_bits(tensors(self.path("slow")), tensors(self.path("few-cpu"))), 0.999)
        rows = [e for tensor in load(self.path("slow"), "report.json")["tensors"] for e in tensor["experts"]]
        self.assertTrue(all(row["certified"] for row in rows if ":" in row["method"]))
        self.merge_ok("slow-two", "--threads", "2", ranks=2, **slow)
        self.assertEqual(contents(self.path("slow")), contents(self.path("slow-two")))

    def test_how_busy_everything_was(self):
        done = self.merge_ok("busy", "-v")
        line = next(line for line in done.stderr.splitlines() if line.startswith("  busy "))
        shares = {name: int(share) for name, share in re.findall(r"(\w[\w ]*?) (\d+) %", line.split("busy")[1])}
        self.assertEqual(set(shares), {"reading", "to the GPU", "kernels", "from the GPU", "writing"}, line)
        self.assertGreater(shares["kernels"], 0, line)
        seconds = load(self.path("busy"), "timing.json")["ranks"][0]["gpu_lane_seconds"]
        self.assertEqual(set(seconds), set(shares) | {"in use"})
        self.assertTrue(all(value > 0 for value in seconds.values()), seconds)
        kernels = load(self.path("busy"), "timing.json")["ranks"][0]["gpu_kernel_seconds"]
        self.assertEqual(set(kernels), {"Gram", "Krylov", "proofs", "selection", "sums"})
        self.assertAlmostEqual(sum(kernels.values()), seconds["kernels"], delta=1e-3 * seconds["kernels"])
        noted = self.path("figures.json")
        subprocess.run([sys.executable, FIGURES, "merged", noted, self.path("busy"), "1"], check=True, capture_output=True)
        step = load(noted)["steps"][0]
        self.assertGreater(min(step[rate] for rate in step if "_of_" in rate or "_per_s" in rate), 0, step)
        for name, share in shares.items():
            self.assertAlmostEqual(100 * seconds[name] / seconds["in use"], share, delta=0.51, msg=name)
        quiet = self.run_ok("merge", "few.yaml", "--output", "none", "-v", "--backend", "cpu")
        self.assertNotIn("  busy ", quiet.stderr)
        self.assertNotIn("gpu_lane_seconds", load(self.path("none"), "timing.json")["ranks"][0])

    def test_processes_and_threads_change_no_byte(self):
        self.merge_ok("one", "--threads", "1")
        self.merge_ok("two", "--threads", "2", ranks=2, KOINE_EMULATED_DEVICES="2")
        self.assertEqual(contents(self.path("one")), contents(self.path("two")))

    def test_other_methods(self):
        for method, parameters in (("svp", {"rank": 5}), ("mp", {"density": 0.1})):
            with self.subTest(method=method):
                mini.write_recipe(self.path("other.yaml"), method=method, experts=2, parameters=parameters, out_dtype="float16",
                                  select=["query", "fc1"])
                for backend in ("cpu", "cuda"):
                    self.run_ok("merge", "other.yaml", "--output", f"{method}-{backend}", "--backend", backend,
                                env={"KOINE_CUDA_LIBRARY": EMULATED})
                share = share_of_equal_bits(tensors(self.path(f"{method}-cuda")), tensors(self.path(f"{method}-cpu")))
                self.assertGreaterEqual(share, 1 if method == "mp" else 0.999)

    def test_one_budget_over_the_model(self):
        folder = self.path("budget")
        mini.write_family(folder, experts=2, dtype="fp16", d=96, n_enc=1, n_dec=1)
        mini.write_recipe(os.path.join(folder, "lors.yaml"), experts=2, parameters=LORS, out_dtype="float16", density_over="model")
        kept = []
        for backend in ("cpu", "cuda"):
            self.run_ok("merge", "lors.yaml", "--output", backend, "--backend", backend, cwd=folder, env={"KOINE_CUDA_LIBRARY": EMULATED})
            kept.append([row["kept"] for row in load(folder, backend, "report.json")["totals"]["experts"]])
        self.assertEqual(kept[0], kept[1])
        share = share_of_equal_bits(tensors(os.path.join(folder, "cuda")), tensors(os.path.join(folder, "cpu")))
        self.assertGreaterEqual(share, 0.999)

    def test_a_cache_changes_no_byte(self):
        self.merge_ok("plain")
        for run in ("cold", "warm"):
            self.merge_ok(run, "--cache", self.path("cache"))
            self.assertEqual(contents(self.path(run)), contents(self.path("plain")), run)

    def test_a_solver_that_fails_is_told(self):
        self.merge_ok("fallback", fail="XsyevBatched")
        self.assertEqual({m for m in methods_of(self.path("fallback")) if ":" in m}, {"cuda:syevd"})
        self.assertGreaterEqual(share_of_equal_bits(tensors(self.path("fallback")), tensors(self.path("few-cpu"))), 0.999)

    def test_a_device_that_fails_ends_the_run(self):
        for fail, words in (("cudaMalloc", "out of memory"), ("launch", "invalid argument"), ("cublasCreate", "cuBLAS")):
            done = self.merge("failing", fail=fail)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(words, done.stderr)

    def test_a_device_that_is_too_small(self):
        done = self.merge("small", KOINE_EMULATED_MEMORY="1000000")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("this GPU has", done.stderr)
        self.merge_ok("fits", recipe="lors.yaml", KOINE_EMULATED_MEMORY="129000000")
        self.assertEqual(load(self.path("fits"), "manifest.json")["arithmetic"]["batch"], 2)

    def test_storage_that_fails_while_the_device_works(self):
        folder = self.path("small")
        mini.write_family(folder, experts=3, dtype="fp16", d=64, n_enc=2, n_dec=1)
        mini.write_recipe(os.path.join(folder, "lors.yaml"), experts=3, parameters=LORS, out_dtype="float16")
        def merge(output, **env):
            return koine("merge", "lors.yaml", "--output", output, "--backend", "cuda", cwd=folder, timeout=120,
                         env={"KOINE_CUDA_LIBRARY": EMULATED, **env})
        def spoilt(output, **faults):
            return merge(output, LD_PRELOAD=os.environ["KOINE_INTERPOSE"], FAULT_FOLDER=os.path.join(folder, output), **faults)
        counts = os.path.join(folder, "calls")
        done = spoilt("whole", FAULT_AT="0", FAULT_COUNT=counts)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(counts) as f:
            calls = int(f.read())
        for kind, code in (("enospc", 6), ("kill", -9)):
            for at in (calls // 3, calls // 2, 2 * calls // 3):
                run = f"{kind}-{at}"
                done = spoilt(run, FAULT_AT=str(at), FAULT_KIND=kind, FAULT_FOREVER="1")
                self.assertEqual(done.returncode, code, done.stderr)
                done = merge(run)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(contents(os.path.join(folder, run)), contents(os.path.join(folder, "whole")), run)
        os.truncate(os.path.join(folder, "expert3", "model.safetensors"), 1000)
        done = merge("cut")
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_no_device(self):
        done = self.merge("none", KOINE_EMULATED_DEVICES="0")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("no CUDA device", done.stderr)

    def test_values_that_are_not_finite_are_the_cpus_to_tell(self):
        values = mini.values(1, d=192, n_enc=1, n_dec=1)
        name = next(n for n in values if n.endswith("attn.query.weight"))
        values[name][3, 5] = np.nan
        mini.write_file(self.path("bad", "model.safetensors"), values, "fp16")
        mini.write_recipe(self.path("bad.yaml"), models=["bad", "expert2"], parameters=LORS)
        messages = []
        for backend in ("cpu", "cuda"):
            done = self.run_fails(2, "merge", "bad.yaml", "--output", f"bad-{backend}", "--backend", backend, "--threads", "1",
                                  env={"KOINE_CUDA_LIBRARY": EMULATED})
            messages.append([line for line in done.stderr.splitlines() if line.startswith("koine: ")])
        self.assertEqual(messages[0], messages[1])

    def test_a_run_goes_on_elsewhere(self):
        self.run_ok("merge", "few.yaml", "--output", "moved", "--backend", "cpu")
        os.remove(self.path("moved", "shards", "rest.h5"))
        self.merge_ok("moved")
        self.run_ok("verify", "moved")
        kinds = load(self.path("moved"), "manifest.json")["arithmetic"]["kinds"]
        self.assertEqual({kind["backend"] for kind in kinds}, {"cpu", "cuda"})


del Backend  # a base, not a test

if __name__ == "__main__":
    main()
