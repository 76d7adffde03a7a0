"""koine plan --rates: predicted with this machine's rates, as koine bench writes them. No time is judged here: tests/cli/predictions.py does."""
import json
import os

import mini_whisper as mini
from koine_cli import Case, main, plain_build_only

EXPERTS = 2
KINDS = ("bytes_read", "bytes_written", "parts", "pruned", "results", "gram_flops", "space_flops")
ROW = {"workers": 1, **{f"{kind}_per_s": 1e6 for kind in KINDS}}


class Plan(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, EXPERTS)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), "lors", EXPERTS, parameters={"rank": 5, "density": 0.2, "lambda": 0.5})

    def rates(self, name, **changes):
        document = {"schema": "koine-rates-3", "machine": "eight GPUs", "source": "made up", "worker": "gpu", "workers_per_machine": 8,
                    "storage_read_bytes_per_s": 0, "storage_write_bytes_per_s": 0, "rates": [ROW], **changes}
        with open(self.path(name), "w", encoding="utf-8") as file:
            json.dump(document, file)
        return name

    def plan(self, *args):
        return json.loads(self.run_ok("plan", "lors.yaml", "--json", *args).stdout)

    @plain_build_only
    def test_with_rates_that_bench_measured(self):
        os.makedirs(self.path("scratch"))
        self.run_ok("bench", "--quick", "--only", "merge", "--threads", "1,2", "--scratch", "scratch", "--rates", "here.json")
        with open(self.path("here.json"), encoding="utf-8") as file:
            here = json.load(file)
        self.assertEqual([row["workers"] for row in here["rates"]], [1, 2])
        planned = self.plan("--rates", "here.json", "--threads", "1")
        self.assertIn("koine bench", planned["rates"])
        self.assertGreater(planned["seconds"], 0)
        self.assertAlmostEqual(planned["core_hours"], planned["seconds"] / 3600)
        self.assertNotEqual(planned["seconds"], self.plan("--threads", "1")["seconds"])

    def test_gpus_cost_gpu_hours(self):
        made_up = self.plan("--rates", self.rates("gpus.json"), "--ranks", "2")
        self.assertAlmostEqual(made_up["gpu_hours"], 2 * made_up["seconds"] / 3600)
        text = self.run_ok("plan", "lors.yaml", "--rates", "gpus.json", "--ranks", "2").stdout
        self.assertIn("2 processes of a GPU, by the rates of eight GPUs (made up)", text)
        self.assertIn("GPU-hours", text)

    def test_storage_may_be_what_limits(self):
        limited = self.plan("--rates", self.rates("slow.json", storage_read_bytes_per_s=1000))
        self.assertTrue(limited["waits_for_storage"])
        self.assertLessEqual(limited["storage_read_bytes_per_s"], 1000)
        self.assertIn("storage is what limits it", self.run_ok("plan", "lors.yaml", "--rates", "slow.json").stdout)

    def test_a_job_is_given_time_by_them(self):
        slow = {"rates": [{**ROW, "gram_flops_per_s": 1.0}]}     # one flop a second takes its time
        for name, changes in {"node": {}, "slow": slow, "gpus": {"worker": "gpu", **slow}}.items():
            self.rates(f"{name}.json", **{"worker": "thread", **changes})
            with open(self.path(f"{name}.yaml"), "w", encoding="utf-8") as file:
                file.write(f"rates: {name}.json\ngpus_per_node: {2 if name == 'gpus' else 0}\n")

        def limit(*args):
            script = self.run_ok("submit", "lors.yaml", "--output", "run", "--print", *args).stdout
            return next(line for line in script.splitlines() if "--time" in line)

        self.assertNotEqual(limit("--cluster", "slow.yaml"), limit("--cluster", "node.yaml"))
        usual = ("--ranks", "2", "--cores", "1")
        self.assertNotEqual(limit("--cluster", "gpus.yaml", *usual), limit(*usual))
        self.assertEqual(limit("--cluster", "gpus.yaml", "--backend", "cpu", *usual), limit(*usual), "rates of a GPU for cores")

    def test_a_job_merges_with_the_options_given(self):
        given = ("--stall", "5", "--transport", "mpi", "--backend", "cpu")
        script = self.run_ok("submit", "lors.yaml", "--output", "options", "--print", *given).stdout
        for name, value in zip(given[::2], given[1::2]):
            self.assertRegex(script, f"{name} '?{value}")
        self.assertNotIn("--stall", self.run_ok("submit", "lors.yaml", "--output", "options", "--print").stdout)

    def test_a_bad_file_is_told(self):
        for name, changes, words in (("schema.json", {"schema": "other"}, "expected 'koine-rates-3'"), ("none.json", {"rates": []}, "'rates' is empty")):
            done = self.run_fails(2, "plan", "lors.yaml", "--rates", self.rates(name, **changes))
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1)
        self.assertIn("add merge", self.run_fails(2, "bench", "--only", "sha256", "--rates", "x").stderr)


if __name__ == "__main__":
    main()
