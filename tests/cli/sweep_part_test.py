"""koine sweep --part: jobs that divide a sweep's evaluations; gathered, they leave the bytes of one job."""
import csv
import json
import os
import signal
import subprocess
import time

import mini_whisper as mini
from koine_cli import Case, KOINE, koine, main, plain_build_only

# Notes who was judged, and by which job.
JUDGE = """\
import json, os, sys
value = float(os.environ["KOINE_LAMBDA"] or 0)
with open(os.environ["LEDGER"], "a") as ledger:
    ledger.write(os.environ["KOINE_POINT"] + " " + os.environ["KOINE_KIND"] + "\\n")
if os.environ.get("FAILS") == os.environ["KOINE_LAMBDA"]:
    sys.exit(1)
json.dump({"wer": abs(value - 0.3)}, open(sys.argv[1], "w"))
"""
SWEEP = """\
recipe: lors.yaml
grid: {rank: [3, 7], lambda: [0, 0.1, 0.2, 0.3]}
evaluate: {command: "python3 judge.py {result}", metric: wer, format: run}
"""


class Parts(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mini.write_family(cls.root, experts=2)
        mini.write_recipe(os.path.join(cls.root, "lors.yaml"), experts=2, parameters={"rank": 7, "density": 0.2, "lambda": 0.2})
        for name, text in (("judge.py", JUDGE), ("sweep.yaml", SWEEP)):
            with open(os.path.join(cls.root, name), "w", encoding="utf-8") as file:
                file.write(text)
        cls.plain = cls.results(cls.sweep_in(cls.root, "plain"))

    @classmethod
    def sweep_in(cls, root, folder, *args, **env):
        done = koine("sweep", "sweep.yaml", "--output", folder, *args, cwd=root,
                     env={"LEDGER": os.path.join(root, folder + ".ledger"), **env})
        assert done.returncode == 0, done.stderr
        return os.path.join(root, folder)

    @staticmethod
    def results(folder):
        found = {}
        for name in ("results.csv", "results.json", "report.html", "best.yaml"):
            with open(os.path.join(folder, name), "rb") as file:
                found[name] = file.read()
        return found

    def ledger(self, folder):
        with open(self.path(folder + ".ledger"), encoding="utf-8") as file:
            return sorted(file.read().splitlines())

    def test_parts_in_any_order(self):
        folder = self.sweep_in(self.root, "parts", "--only", "statistics")
        with open(self.path("parts", "results.csv"), newline="", encoding="utf-8") as file:
            self.assertEqual({row["status"] for row in csv.DictReader(file)}, {"merged"})
        for part in (3, 1, 2):
            self.sweep_in(self.root, "parts", "--part", f"{part}/3")
        self.assertEqual(json.loads(self.run_ok("status", "parts", "--json").stdout)["evaluated"], 7)
        before = self.ledger("parts")
        self.sweep_in(self.root, "parts")
        self.assertEqual(self.ledger("parts"), before, "gathering evaluates nothing again")
        self.assertEqual(before, self.ledger("plain"), "each distinct point once, base and experts once")
        self.assertEqual(self.results(folder), self.plain)
        self.assertEqual(os.listdir(self.path("parts", ".koine", "parts")), [])

    def test_parts_factorise_nothing_again(self):
        self.sweep_in(self.root, "warm", "--only", "statistics")
        done = koine("sweep", "sweep.yaml", "--output", "warm", "--part", "1/2", "--json", cwd=self.root,
                     env={"LEDGER": self.path("warm.ledger")})
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["matrices_factorised"], 0, done.stderr)

    @plain_build_only
    def test_more_parts_than_points(self):
        for part in range(1, 13):
            self.sweep_in(self.root, "many", "--part", f"{part}/12")
        folder = self.sweep_in(self.root, "many")
        self.assertEqual(self.ledger("many"), self.ledger("plain"))
        self.assertEqual(self.results(folder), self.plain)

    @plain_build_only
    def test_a_missing_part_is_made_up_for(self):
        self.sweep_in(self.root, "one", "--part", "2/2")
        self.assertEqual(self.results(self.sweep_in(self.root, "one")), self.plain)
        self.assertEqual(self.ledger("one"), self.ledger("plain"))

    @plain_build_only
    def test_a_part_is_killed(self):
        env = {**os.environ, "LEDGER": self.path("killed.ledger")}
        process = subprocess.Popen([KOINE, "sweep", "sweep.yaml", "--output", "killed", "--part", "1/2"], cwd=self.root, env=env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + 60
        while not os.path.exists(self.path("killed.ledger")) and process.poll() is None and time.time() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for part in (1, 2):
            self.sweep_in(self.root, "killed", "--part", f"{part}/2")
        self.assertEqual(self.results(self.sweep_in(self.root, "killed")), self.plain)

    @plain_build_only
    def test_failures_stay_with_their_points(self):
        done = koine("sweep", "sweep.yaml", "--output", "fails", "--part", "1/1", cwd=self.root,
                     env={"LEDGER": self.path("fails.ledger"), "FAILS": "0.1"})
        self.assertEqual(done.returncode, 2, done.stderr)
        done = koine("sweep", "sweep.yaml", "--output", "fails", cwd=self.root, env={"LEDGER": self.path("fails.ledger")})
        self.assertEqual(done.returncode, 2, done.stderr)
        again = self.sweep_in(self.root, "fails", "--only", "failed")
        self.assertEqual(self.results(again), self.plain)

    def test_what_cannot_be_divided(self):
        with open(self.path("golden.yaml"), "w", encoding="utf-8") as file:
            file.write(SWEEP.replace("grid: {rank: [3, 7], lambda: [0, 0.1, 0.2, 0.3]}",
                                     "search: {method: golden, over: lambda, low: 0, high: 1, budget: 3}"))
        done = self.run_fails(2, "sweep", "golden.yaml", "--output", "golden", "--part", "1/2")
        self.assertIn("decides each point by the results of others", done.stderr)
        for part in ("0/2", "3/2", "1", "1/", "/2", "a/b", "1/2/3", "-1/2"):
            self.assertIn("expected K/N", self.run_fails(2, "sweep", "sweep.yaml", "--output", "bad", f"--part={part}").stderr)


if __name__ == "__main__":
    main()
