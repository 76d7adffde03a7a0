"""koine sweep: statistics of many settings with one reading, points that equal lone merges, numbering, evaluation, keeping."""
import csv
import json
import math
import os
import random
import signal
import subprocess
import time

import mini_whisper as mini
import numpy as np
from koine_cli import KOINE, Case, main, plain_build_only
from run_folders import contents

GRID = "grid: {rank: [0, 3, 9, full], density: [0, 0.1, 1], lambda: [0, 0.2]}".replace("full", "64")


class Sweeps(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, experts=3, rank=16)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), experts=3, parameters={"rank": 7, "density": 0.2, "lambda": 0.2})

    def write(self, name, *lines):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("recipe: lors.yaml\n" + "\n".join(lines) + "\n")
        return name

    def rows(self, folder):
        with open(self.path(folder, "results.csv"), newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def results(self, folder):
        with open(self.path(folder, "results.json"), encoding="utf-8") as file:
            return json.load(file)

    def sweep(self, *args, **kwargs):
        done = self.run_ok("sweep", *args, "--json", **kwargs)
        return json.loads(done.stdout.splitlines()[-1])

    def exported(self, run, output):
        self.run_ok("export", run, "--format", "hf", "--output", output)
        with open(self.path(output, "model.safetensors"), "rb") as file:
            return file.read()


class Statistics(Sweeps):
    def test_a_grid(self):
        done = self.sweep(self.write("grid.yaml", GRID), "--output", "grid")
        rows = self.rows("grid")
        self.assertEqual(list(rows[0]), ["point", "id", "rank", "density", "lambda", "kept_share", "energy_kept", "drift",
                                         "sign_conflicts", "status"])
        self.assertEqual([int(row["point"]) for row in rows], list(range(24)))
        self.assertEqual([row["lambda"] for row in rows[:4]], ["0", "0.2", "0", "0.2"], "the first key changes slowest")
        # lambda 0 is the base whatever the rest; rank 64 and density 1 are the whole task vector.
        self.assertEqual(len({row["id"] for row in rows if row["lambda"] == "0"}), 1)
        whole = {row["id"] for row in rows if row["lambda"] == "0.2" and (row["rank"] == "64" or row["density"] == "1")}
        self.assertEqual(len(whole), 1)
        self.assertEqual((done["points"], done["distinct"], done["computed"]), (24, 8, 8))
        with open(self.path("grid", "report.html"), encoding="utf-8") as file:
            self.assertIn(rows[5]["id"], file.read())

    def test_points_are_lone_merges_bit_for_bit(self):
        self.sweep(self.write("points.yaml", GRID), "--output", "points")
        for row in random.Random(5).sample(self.rows("points"), 6):
            number = row["point"]
            sets = [arg for key in ("rank", "density", "lambda") for arg in ("--set", f"parameters.{key}={row[key]}")]
            self.run_ok("merge", "lors.yaml", *sets, "--output", f"lone{number}")
            lone = self.exported(f"lone{number}", f"lone{number}-hf")
            self.assertEqual(self.exported(f"points#{number}", f"point{number}-hf"), lone)
            self.assertEqual(self.exported(f"points#{row['id'][:10]}", f"id{number}-hf"), lone)
            self.assertFalse([name for name in os.listdir(self.root) if name.endswith(".koine-point")])

    def test_figures_are_those_of_lone_merges(self):
        lines = ("points:", *(f"  - {point}" for point in (
            "{rank: 3, density: 0.1, lambda: 0.2}", "{merge_method: svp, rank: 5}", "{merge_method: mp, density: 0.3}",
            "{merge_method: task_arithmetic}", "{density_over: model, density: 0.1}", "{weights: [1, 0.5, -2]}",
            "{others: base}", "{others: average}", "{merge_method: linear}", "{rank: {energy: 0.4}}")))
        self.sweep(self.write("figures.yaml", *lines), "--output", "figures")
        base = mini.oracle.Checkpoint(self.path("base"))
        whole = sum(float(np.sum(base.f64(s) ** 2)) for s in base.by_canon.values())
        for point, row in zip(self.results("figures")["points"], self.rows("figures")):
            with self.subTest(row=row):
                with open(self.path("recipe.yaml"), "w", encoding="utf-8") as file:
                    file.write(point["recipe"])
                self.run_ok("merge", "recipe.yaml", "--output", f"figure{row['point']}")
                with open(self.path(f"figure{row['point']}", "report.json"), encoding="utf-8") as file:
                    totals = json.load(file)["totals"]
                experts, model = totals["experts"], totals["model"]
                count = sum(math.prod(base.shape(s)) for s in base.by_canon.values())
                self.assertEqual(float(row["kept_share"]), sum(e["kept"] for e in experts) / (count * 3))
                kept = "tau_squared" if row["merge_method"] == "linear" else "merged_squared"  # a mean keeps all
                self.assertEqual(float(row["energy_kept"]), sum(e[kept] for e in experts) / sum(e["tau_squared"] for e in experts))
                conflicts = model["signs_total"] - model["signs_agree"]
                self.assertEqual(float(row["sign_conflicts"]), conflicts / model["signs_total"] if model["signs_total"] else 0)
                self.exported(f"figure{row['point']}", f"figure{row['point']}-hf")
                merged = mini.oracle.Checkpoint(self.path(f"figure{row['point']}-hf"))
                moved = sum(float(np.sum((merged.f64(s) - base.f64(base.by_canon[n])) ** 2)) for n, s in merged.by_canon.items())
                # float32 results: rounding adds at most half a unit of W_0, 6e-8 |W_0|, to |W - W_0|.
                self.assertAlmostEqual(float(row["drift"]), math.sqrt(moved / whole), delta=6e-8)

    def test_processes_and_threads_change_no_byte(self):
        name = self.write("ranks.yaml", GRID)
        self.sweep(name, "--output", "ranks1", "--threads", "1")
        for ranks, threads in ((2, 2), (4, 1), (3, 2)):
            self.sweep(name, "--output", f"ranks{ranks}", "--threads", threads, ranks=ranks)
            for leaf in ("results.csv", "results.json", "report.html"):
                self.assertEqual(contents(self.path("ranks1"))[leaf], contents(self.path(f"ranks{ranks}"))[leaf])

    def test_again_does_nothing_and_more_does_the_rest(self):
        self.sweep(self.write("more.yaml", "grid: {rank: [3, 5], density: [0.1]}"), "--output", "more")
        first = self.rows("more")
        again = self.sweep("more.yaml", "--output", "more")
        self.assertEqual((again["computed"], again["matrices_factorised"]), (0, 0))
        grown = self.sweep(self.write("more.yaml", "grid: {rank: [1, 3, 5], density: [0.1, 0.2]}"), "--output", "more")
        self.assertEqual(grown["computed"], 4)
        rows = self.rows("more")
        self.assertEqual(rows[:2], first, "a number is a point's for ever")
        self.assertEqual([row["rank"] for row in rows], ["3", "5", "1", "1", "3", "5"])

    def test_a_warm_cache_makes_no_factorisation(self):
        name = self.write("warm.yaml", "grid: {rank: [3, 7, 9], density: [0.1, 0.2]}")
        cold = self.sweep(name, "--output", "cold", "--cache", "shared")
        warm = self.sweep(name, "--output", "warm", "--cache", "shared", ranks=2)
        self.assertGreater(cold["matrices_factorised"], 0)
        self.assertEqual(warm["matrices_factorised"], 0)
        self.assertEqual(self.rows("cold"), self.rows("warm"))

    def test_an_expert_changed_in_place_is_another(self):
        """Same path, size and header: only the contents differ."""
        mini.write_family(self.path("family"), experts=2)
        mini.write_recipe(self.path("family", "lors.yaml"), experts=2, parameters={"rank": 3, "density": 0.2, "lambda": 0.2})
        with open(self.path("changing.yaml"), "w", encoding="utf-8") as file:
            file.write("recipe: family/lors.yaml\ngrid: {rank: [3, 5]}\noutput: {path: changing}\n")
        self.sweep("changing.yaml")
        before = self.rows("changing")
        expert = self.path("family", "expert1", "model.safetensors")
        with open(expert, "r+b") as file:
            file.seek(-4, os.SEEK_END)
            file.write(b"\x00\x00\x80\x3e")
        os.utime(expert, ns=(1, 1))
        self.assertEqual(self.sweep("changing.yaml")["computed"], 2)
        after = self.rows("changing")
        self.assertNotEqual({row["id"] for row in before}, {row["id"] for row in after})
        os.rename(self.path("family"), self.path("moved"))  # a move changes no content: same points, found at the new place
        with open(self.path("changing.yaml"), "w", encoding="utf-8") as file:
            file.write("recipe: moved/lors.yaml\ngrid: {rank: [3, 5]}\noutput: {path: changing}\n")
        self.assertEqual(self.sweep("changing.yaml")["computed"], 0)
        self.exported("changing#2", "moved-hf")

    @plain_build_only
    def test_one_id_means_one_result(self):
        """density_over: model: a matrix at full rank, or scaled by 0, still takes part in the budget of all."""
        lines = ("points:", "  - {density_over: model, rank: [{filter: fc1, value: 1}, {value: 40}], lambda: [{filter: fc1, value: 0}, {value: 0.2}]}",
                 "  - {density_over: model, rank: 40, lambda: [{filter: fc1, value: 0}, {value: 0.2}]}",
                 "  - {select: [attention], density_over: model, rank: 3}",
                 "  - {density_over: model, rank: [{filter: fc1, value: 64}, {filter: fc2, value: 64}, {value: 3}]}")
        self.sweep(self.write("ids.yaml", *lines), "--output", "ids")
        weights = {}
        for row in self.rows("ids"):
            weights.setdefault(row["id"], set()).add(self.exported(f"ids#{row['point']}", f"ids{row['point']}"))
        self.assertEqual({len(found) for found in weights.values()}, {1})
        self.assertEqual(len(weights), 4)

    @plain_build_only
    def test_order_of_keys_and_points_changes_no_figure(self):
        self.sweep(self.write("there.yaml", "points: [{rank: 64, density: .1}, {rank: 3, density: 1}, {lambda: 0}, {rank: 5}]"), "--output", "there")
        self.sweep(self.write("back.yaml", "points: [{rank: 5}, {lambda: 0}, {density: 1, rank: 3}, {density: .1, rank: 64}]"), "--output", "back")
        figures = [{row["id"]: (row["kept_share"], row["energy_kept"], row["drift"], row["sign_conflicts"]) for row in self.rows(folder)}
                   for folder in ("there", "back")]
        self.assertEqual(figures[0], figures[1])
        self.assertIn(("1", "1"), [figure[:2] for figure in figures[0].values()])
        self.sweep("back.yaml", "--output", "there")
        self.assertEqual([row["point"] for row in self.rows("there")], ["0", "1", "2", "3"])

    def test_settings_of_any_kind_are_shown(self):
        values = ["18446744073709551615", "0", "7"]  # the largest seed is no signed number
        self.sweep(self.write("seeds.yaml", "points:", *(f"  - {{seed: {value}}}" for value in values)), "--output", "seeds")
        self.assertEqual([point["settings"]["seed"] for point in self.results("seeds")["points"]], [int(value) for value in values])
        self.assertEqual([row["seed"] for row in self.rows("seeds")], values)

    def test_a_parameter_without_use_is_named(self):
        done = self.run_ok("sweep", self.write("unused.yaml", "grid: {merge_method: [svp, lors], density: [0.1]}"), "--output", "unused")
        self.assertIn("density", "".join(line for line in done.stderr.splitlines() if line.startswith("warning:")))

    def test_subsets_take_their_own_defaults(self):
        with open(self.path("free.yaml"), "w", encoding="utf-8") as file:
            file.write("merge_method: lors\nbase_model: base\nmodels: [{model: expert1}, {model: expert2}, {model: expert3}]\n")
        with open(self.path("subsets.yaml"), "w", encoding="utf-8") as file:
            file.write("recipe: free.yaml\ngrid: {experts: [[expert1, expert3], [expert2]]}\noutput: {path: subsets}\n")
        self.sweep("subsets.yaml")
        recipes = [point["recipe"] for point in self.results("subsets")["points"]]
        self.assertIn("lambda: 0.5", recipes[0])
        self.assertNotIn("expert2", recipes[0])
        self.assertIn("lambda: 1", recipes[1])

    @plain_build_only
    def test_killed_anywhere_it_comes_to_the_same(self):
        name = self.write("killed.yaml", GRID)
        start = time.perf_counter()
        self.sweep(name, "--output", "whole")
        seconds = time.perf_counter() - start
        for share in (0.15, 0.35, 0.55, 0.75, 0.95):
            process = subprocess.Popen([KOINE, "sweep", name, "--output", "killed"], cwd=self.root, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(share * seconds)
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.sweep(name, "--output", "killed")
        for leaf in ("results.csv", "results.json", "report.html"):
            self.assertEqual(contents(self.path("whole"))[leaf], contents(self.path("killed"))[leaf])

    def test_what_is_wrong_is_said(self):
        self.assertIn("names no output", self.run_fails(2, "sweep", self.write("silent.yaml", GRID)).stderr)
        os.makedirs(self.path("thesis"), exist_ok=True)
        with open(self.path("thesis", "a.tex"), "w", encoding="utf-8"):
            pass
        self.assertIn("is no sweep's folder", self.run_fails(2, "sweep", "silent.yaml", "--output", "thesis").stderr)
        self.run_ok("merge", "lors.yaml", "--output", "a-run")
        self.assertIn("is no sweep's folder", self.run_fails(2, "sweep", "silent.yaml", "--output", "a-run").stderr)
        self.assertIn("is no sweep's folder", self.run_fails(2, "export", "a-run#3", "--format", "hf", "--output", "x").stderr)
        self.sweep("silent.yaml", "--output", "named")
        self.assertIn("there are 0 to 23", self.run_fails(2, "export", "named#24", "--format", "hf", "--output", "x").stderr)
        self.assertIn("low.yaml:2:", self.run_fails(2, "sweep", self.write("low.yaml", "points: [{rank: 1}, {rank: -1}]"),
                                                    "--output", "low").stderr)
        self.assertFalse(os.path.exists(self.path("low")))


# Of the checkpoint: the mean of a weight, so that different merges have different metrics.
JUDGE = r"""
import json, os, struct, sys
path = os.path.join(sys.argv[1], "model.safetensors")
with open(path, "rb") as f:
    header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    start = f.tell()
    at = header["model.decoder.layers.0.fc1.weight"]["data_offsets"]
    f.seek(start + at[0])
    x = struct.unpack(f"<{(at[1] - at[0]) // 4}f", f.read(at[1] - at[0]))
value = sum(abs(v) for v in x) / len(x)
json.dump({"wer": value, "languages": {"ca": {"wer": value / 2}}, "n": 9, "signature": "test"}, open(sys.argv[2], "w"))
"""


class Evaluations(Sweeps):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(os.path.join(cls.root, "judge.py"), "w", encoding="utf-8") as file:
            file.write(JUDGE)

    def evaluate(self, command="python3 judge.py {checkpoint} {result}", **keys):
        values = {"command": json.dumps(command), "metric": "wer", "goal": "min", **keys}
        return "evaluate: {" + ", ".join(f"{k}: {v}" for k, v in values.items()) + "}"

    def test_the_best_is_found_and_kept(self):
        name = self.write("best.yaml", "grid: {lambda: [0.1, 0.5, 0.9], density: [0.1, 0.5]}", self.evaluate())
        done = self.sweep(name, "--output", "best")
        rows = self.rows("best")
        self.assertEqual(done["evaluated"], 6 + 4, "points, base and three experts")
        metrics = [float(row["wer"]) for row in rows]
        self.assertEqual(done["best"], metrics.index(min(metrics)))
        self.assertEqual([float(row["languages.ca.wer"]) * 2 for row in rows], metrics)
        self.assertEqual({row["status"] for row in rows}, {"done"})
        results = self.results("best")
        self.assertEqual([b["name"] for b in results["baselines"]], ["base", "expert1", "expert2", "expert3"])
        self.run_ok("merge", "best/best.yaml", "--output", "again")
        self.assertEqual(self.exported("best/best", "kept-hf"), self.exported("again", "again-hf"))
        self.assertEqual(self.exported(f"best#{done['best']}", "again2-hf"), self.exported("again", "again-hf"))
        self.assertFalse(os.path.exists(self.path("best", ".koine", "scratch")))
        again = self.sweep(name, "--output", "best")
        self.assertEqual((again["evaluated"], again["computed"]), (0, 0))

    def test_workers_and_processes_give_the_same(self):
        lines = ("grid: {lambda: [0.1, 0.5, 0.9]}",)
        self.sweep(self.write("one.yaml", *lines, self.evaluate()), "--output", "one")
        self.sweep(self.write("three.yaml", *lines, self.evaluate(workers=3)), "--output", "three", ranks=2)
        self.assertEqual(self.rows("one"), self.rows("three"))

    def test_formats(self):
        for form, leaf in (("openai", "checkpoint/model.pt"), ("run", "run/model.h5"), ("hf", "checkpoint/config.json")):
            command = 'test -e "{checkpoint}" && echo "WER: 0.5"' if form == "openai" else \
                f'test -e "{{checkpoint}}/{os.path.basename(leaf)}" -o -e "{{checkpoint}}/model.safetensors" && echo "WER: 0.5"'
            name = self.write(f"{form}.yaml", "grid: {lambda: [0.1]}",
                              self.evaluate(command, metric="{regex: 'WER: ([0-9.]+)'}", format=form, baselines="false"))
            self.assertEqual(self.sweep(name, "--output", f"as-{form}")["best_metric"], 0.5)

    def test_trouble_is_marked_and_the_sweep_goes_on(self):
        command = ('case {lambda} in 0.1) exit 3;; 0.2) sleep 60;; 0.3) echo rubbish;; 0.4) echo \'{"wer": NaN}\';; '
                   '*) echo \'{"wer": 0.25}\';; esac')
        name = self.write("trouble.yaml", "grid: {lambda: [0.1, 0.2, 0.3, 0.4, 0.5]}",
                          self.evaluate(command, timeout="1s", baselines="false"))
        done = self.run_fails(2, "sweep", name, "--output", "trouble", "--json")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["failed"], 4)
        self.assertIn("4 of the evaluations failed", done.stderr)
        rows = self.rows("trouble")
        self.assertEqual([row["status"] for row in rows], ["failed", "timed out", "failed", "failed", "done"])
        messages = [point["message"] for point in self.results("trouble")["points"]]
        self.assertIn("3", messages[0])
        self.assertEqual(self.results("trouble")["best"], 4)
        with open(self.path("trouble", "points", "2", "stdout.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "rubbish\n")
        # The same command does not repeat what failed; --only failed does, and nothing else.
        self.assertEqual(json.loads(self.run_fails(2, "sweep", name, "--output", "trouble", "--json").stdout)["evaluated"], 0)
        again = self.run_fails(2, "sweep", name, "--output", "trouble", "--only", "failed", "--json")
        self.assertEqual(json.loads(again.stdout)["evaluated"], 4)

    def test_every_setting_of_a_point_is_told(self):
        command = 'echo "{lambda} {density} {rank} {merge_method} $KOINE_RANK {kind} {share}" >> told; echo \'{"wer": 1}\''
        name = self.write("told.yaml", "points: [{rank: 3}, {density: 0.5}]", self.evaluate(command, baselines="false"))
        self.sweep(name, "--output", "told-out")
        with open(self.path("told"), encoding="utf-8") as file:
            self.assertEqual(file.read().splitlines(), ["0.2 0.2 3 lors 3 point 1", "0.2 0.5 7 lors 7 point 1"])

    def test_baselines_are_all_experts_of_all_points(self):
        name = self.write("union.yaml", "grid: {experts: [[expert1], [expert3]]}", self.evaluate())
        self.sweep(name, "--output", "union")
        self.assertEqual([b["name"] for b in self.results("union")["baselines"]], ["base", "expert1", "expert3"])

    @plain_build_only
    def test_workers_do_not_wait_for_each_other(self):
        command = 'test {point} != 0 || sleep 3; date +%s.%N >> "ends"; echo \'{"wer": 1}\''
        name = self.write("slow.yaml", "grid: {lambda: [0.1, 0.2, 0.3, 0.4]}", self.evaluate(command, workers=2, baselines="false"))
        self.sweep(name, "--output", "slow")
        with open(self.path("ends"), encoding="utf-8") as file:
            ends = [float(line) for line in file]
        self.assertGreater(ends[3] - ends[2], 0.3, "three ended while the first one slept")

    def test_exit_75_is_tried_again(self):
        command = 'n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) > tries; [ $n -ge 2 ] || exit 75; echo \'{"wer": 1}\''
        done = self.sweep(self.write("tries.yaml", "grid: {lambda: [0.1]}", self.evaluate(command, baselines="false")),
                          "--output", "tries-out")
        self.assertEqual((done["failed"], done["best_metric"]), (0, 1))

    def test_another_command_evaluates_anew(self):
        lines = ("grid: {lambda: [0.1, 0.2]}",)
        self.sweep(self.write("first.yaml", *lines, self.evaluate("echo '{\"wer\": 1}'", baselines="false")), "--output", "anew")
        done = self.sweep(self.write("first.yaml", *lines, self.evaluate("echo '{\"wer\": 2}'", baselines="false")), "--output", "anew")
        self.assertEqual((done["computed"], done["evaluated"], done["best_metric"]), (0, 2, 2))

    def test_keep_all_and_none(self):
        for keep in ("all", "none"):
            name = self.write(f"{keep}.yaml", "grid: {lambda: [0, 0.2], density: [0.1, 0.2]}", f"keep: {keep}")
            self.sweep(name, "--output", f"keep-{keep}")
        kept = sorted(os.listdir(self.path("keep-all", "points")), key=int)
        self.assertEqual(kept, ["0", "2", "3"], "point 1 is point 0 again")
        self.run_ok("verify", "keep-all/points/3/merged")
        self.assertFalse(os.path.exists(self.path("keep-none", "points")))

    @plain_build_only
    def test_golden_section(self):
        command = 'python3 -c "print(dict(wer=(float({lambda}) - 0.31) ** 2))" | tr "\'" \'"\''
        name = self.write("golden.yaml", "search: {method: golden, over: lambda, low: 0, high: 1, budget: 9}",
                          self.evaluate(command, baselines="false"))
        self.sweep(name, "--output", "golden")
        rows = self.rows("golden")
        self.assertEqual(len(rows), 9)
        best = min(rows, key=lambda row: float(row["wer"]))
        self.assertLess(abs(float(best["lambda"]) - 0.31), 0.618 ** 7, "each look narrows it to 0.618")
        self.assertEqual(self.sweep(name, "--output", "golden")["evaluated"], 0)

    @plain_build_only
    def test_halving(self):
        """9 points on 1/9 of the data, 3 on a third, 1 on all; killed and started again it goes on."""
        command = ('echo {point} {share} >> asked; '
                   'python3 -c "print(dict(wer=(float({lambda}) - 0.5) ** 2 + 1 - float({share})))" | tr "\'" \'"\'')
        name = self.write("halving.yaml", "search: {method: halving, space: {lambda: [0, .1, .2, .3, .4, .5, .6, .7, .8]}, budget: 9}",
                          self.evaluate(command, baselines="false"))
        done = self.sweep(name, "--output", "halving", ranks=2)
        self.assertEqual(done["evaluated"], 9 + 3 + 1)
        with open(self.path("asked"), encoding="utf-8") as file:
            shares = [float(line.split()[1]) for line in file]
        self.assertEqual([round(9 * share) for share in shares], [1] * 9 + [3] * 3 + [9])
        rows = self.rows("halving")
        self.assertEqual([float(row["lambda"]) for row in rows if row["status"] == "done"], [0.5])
        self.assertEqual(len([row for row in rows if row["status"] == "merged"]), 8)
        self.assertEqual(self.sweep(name, "--output", "halving")["evaluated"], 0)

    def test_a_slip_in_the_command_is_found_before_anything_runs(self):
        name = self.write("slip.yaml", "grid: {lambda: [0.1]}", self.evaluate("judge {checkpont}"))
        self.assertIn("checkpoint", self.run_fails(2, "sweep", name, "--output", "slip").stderr)
        self.assertFalse(os.path.exists(self.path("slip")))


if __name__ == "__main__":
    main()
