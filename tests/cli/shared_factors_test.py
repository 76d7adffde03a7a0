"""More processes than shards: all of them find factors, each of its own matrices and experts; owners merge. The same bytes."""
import json
import os
import signal
import time

import mini_whisper as mini
from koine_cli import Case, koine, koine_of_two, main, plain_build_only
from run_folders import contents, kill_after, members, start

EXPERTS = 3
PROCESSES = 4    # of three shards


def load(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def counted(run, key):
    return [rank[key] for rank in load(run, "timing.json")["ranks"]]


class SharedFactors(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, EXPERTS, "fp32", d=512, n_vocab=3000, n_enc=1, n_dec=1)
        for name, keys in {"lors": {}, "model": {"density_over": "model"}}.items():
            mini.write_recipe(os.path.join(cls.root, f"{name}.yaml"), "lors", EXPERTS, select=["attention", "mlp", "embedding"],
                              parameters={"rank": 5, "density": 0.2, "lambda": 0.5}, **keys)
            done = koine("merge", f"{name}.yaml", "--output", f"{name}-alone", "--threads", "1", cwd=cls.root)
            assert done.returncode == 0, done.stderr

    def plan(self, processes, *args):
        return json.loads(self.run_ok("plan", "lors.yaml", "--ranks", processes, "--json", *args).stdout)

    def same_as_alone(self, run, recipe="lors"):
        self.assertEqual(contents(self.path(run)), contents(self.path(f"{recipe}-alone")))
        self.assertFalse(os.path.exists(self.path(run, ".koine", "factors")))

    def test_the_plan_says_so(self):
        alone, shared = self.plan(1), self.plan(PROCESSES)
        self.assertEqual((alone["shares_factors"], shared["shares_factors"]), (False, True))
        self.assertGreater(min(rank["bytes_read"] for rank in shared["ranks"]), 0, "somebody idles")
        self.assertLess(shared["seconds"], alone["seconds"])
        text = self.run_ok("plan", "lors.yaml", "--ranks", PROCESSES).stdout
        self.assertIn("all of them find factors first", text)

    def test_same_bytes_and_each_pair_once(self):
        self.run_ok("merge", "lors.yaml", "--output", "shared", "--threads", "1", ranks=PROCESSES)
        self.same_as_alone("shared")
        made = counted(self.path("shared"), "matrices_factorised")
        self.assertEqual(sum(made), self.plan(1)["matrices"])
        self.assertGreater(min(made), 0)
        self.assertEqual(sum(counted(self.path("shared"), "matrices_found")), 0, "made here, not found")
        expected = self.plan(PROCESSES)
        for ours, key in (("bytes_read", "bytes_read"), ("bytes_written", "bytes_written")):
            self.assertAlmostEqual(sum(counted(self.path("shared"), key)) / expected[ours], 1, delta=0.01)

    @plain_build_only
    def test_one_budget_over_the_model(self):
        self.run_ok("merge", "model.yaml", "--output", "budget", "--threads", "1", ranks=PROCESSES)
        self.same_as_alone("budget", "model")
        self.assertEqual(sum(counted(self.path("budget"), "matrices_factorised")), self.plan(1)["matrices"])

    @plain_build_only
    def test_machines_of_two_kinds(self):
        for recipe in ("lors", "model"):
            args = ("merge", f"{recipe}.yaml", "--output", f"kinds-{recipe}", "--threads", "1")
            done = koine_of_two(([], {"OPENBLAS_CORETYPE": "Haswell"}), ([], {"OPENBLAS_CORETYPE": "Nehalem"}), args, self.root)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(sum(counted(self.path(f"kinds-{recipe}"), "matrices_factorised")), self.plan(1)["matrices"])
            self.run_ok("verify", f"kinds-{recipe}")
            kinds = load(self.path(f"kinds-{recipe}"), "manifest.json")["arithmetic"]["kinds"]
            self.assertEqual(sorted("haswell" in json.dumps(kind).lower() for kind in kinds), [False, True])

    def test_a_cache_of_each_machine(self):
        args = ("merge", "lors.yaml", "--output", "caches", "--threads", "1")
        done = koine_of_two((["--cache", "cache-a"], {}), (["--cache", "cache-b"], {}), args, self.root)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the cache cache-a was not used: not all processes see it", done.stderr)
        self.same_as_alone("caches")
        self.assertEqual(sum(counted(self.path("caches"), "matrices_factorised")), self.plan(1)["matrices"])

    def test_into_a_cache(self):
        self.run_ok("merge", "lors.yaml", "--output", "first", "--cache", "cache", ranks=PROCESSES)
        self.run_ok("merge", "lors.yaml", "--output", "second", "--cache", "cache", "--threads", "1")
        self.same_as_alone("first")
        self.same_as_alone("second")
        self.assertEqual(sum(counted(self.path("second"), "matrices_factorised")), 0)

    @plain_build_only
    def test_killed_while_they_are_found(self):
        factors = self.path("killed", ".koine", "factors")
        process = start(["merge", "lors.yaml", "--output", "killed", "--threads", "1"], PROCESSES, self.root)
        while process.poll() is None and not (os.path.isdir(factors) and any(files for _, _, files in os.walk(factors))):
            time.sleep(0.001)
        for pid in members(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()
        found = sum(len(files) for _, _, files in os.walk(factors))
        self.run_ok("merge", "lors.yaml", "--output", "killed", "--threads", "1", ranks=PROCESSES)
        self.same_as_alone("killed")
        if found > PROCESSES:  # a file may have been half written by each
            self.assertLess(sum(counted(self.path("killed"), "matrices_factorised")), self.plan(1)["matrices"])

    @plain_build_only
    def test_killed_again_and_again(self):
        args = ("merge", "lors.yaml", "--output", "often", "--threads", "1")
        began = time.time()
        self.run_ok("merge", "lors.yaml", "--output", "timed", "--threads", "1", ranks=PROCESSES)
        whole = time.time() - began
        for share in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
            kill_after(args, share * whole, PROCESSES, self.root)
        self.run_ok(*args, ranks=2)
        self.same_as_alone("often")

    @plain_build_only
    def test_killed_while_they_are_removed(self):
        for recipe in ("lors", "model"):
            run = f"removing-{recipe}"
            self.run_ok("merge", f"{recipe}.yaml", "--output", run, "--threads", "1")
            os.remove(self.path(run, "shards", "rest.h5"))
            os.makedirs(self.path(run, ".koine", "factors", "ab"))       # what is left when the mark of the folder went first
            with open(self.path(run, ".koine", "factors", "ab", "cd.factors"), "wb"):
                pass
            self.run_ok("merge", f"{recipe}.yaml", "--output", run, "--threads", "1", ranks=PROCESSES)
            self.same_as_alone(run, recipe)

    def test_only_what_is_left_is_shared(self):
        self.run_ok("merge", "lors.yaml", "--output", "damaged", "--threads", "1")
        os.remove(self.path("damaged", "shards", "encoder.000.h5"))
        self.run_ok("merge", "lors.yaml", "--output", "damaged", "--threads", "1", ranks=PROCESSES)
        self.same_as_alone("damaged")
        of_encoder = next(s for s in self.plan(1)["shards"] if s["name"] == "encoder.000")
        self.assertEqual(of_encoder["rank"], 0)
        self.assertEqual(sum(counted(self.path("damaged"), "matrices_factorised")), 6 * EXPERTS)


if __name__ == "__main__":
    main()
