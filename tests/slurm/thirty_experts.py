"""Thirty experts as one Slurm job that is pre-empted twice, and a second night with one more; beside a plain run of them, and of five.

    python3 tests/slurm/thirty_experts.py --model small --dtype fp16 --experts 30 --scratch /big/disk

Some minutes and 20 GB for Whisper small: not one of the suite's tests. Prints one line of JSON; ends with 1 where a promise does not hold."""
import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from koine_cli import KOINE  # noqa: E402
from run_folders import contents  # noqa: E402
from slurm_cluster import SlurmCluster  # noqa: E402

MEMORY = 1.05   # of a run of five experts: memory does not grow with the number of experts
TIME = 6.6      # of a run of five: six times the work, and a tenth


class Night:
    def __init__(self, options):
        self.options = options
        self.root = options.scratch
        os.makedirs(self.root, exist_ok=True)
        self.cluster = SlurmCluster(nodes=2, cpus=2)

    def koine(self, *args, env=None):
        done = subprocess.run([KOINE, *args, "--quiet"], cwd=self.root, env={**os.environ, **(env or {})}, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise AssertionError(f"koine {args}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def recipe(self, name, experts):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            json.dump({"merge_method": "lors", "base_model": "in/base",
                       "models": [{"model": f"in/expert{t}"} for t in range(1, experts + 1)],
                       "parameters": {"rank": 7, "density": 0.2, "lambda": 0.1}}, file)
        return name

    def timing(self, run):
        with open(os.path.join(self.root, run, "timing.json"), encoding="utf-8") as file:
            return json.load(file)

    def plain(self, run, experts):
        """(seconds, peak memory of a process)."""
        self.koine("merge", self.recipe(f"{run}.yaml", experts), "--output", run, "--threads", "2")
        timing = self.timing(run)
        return timing["seconds"], max(rank["peak_memory_bytes"] for rank in timing["ranks"])

    def finished(self, run):
        journal = os.path.join(self.root, run, ".koine", "journal")
        return len(os.listdir(journal)) if os.path.isdir(journal) else 0

    def job(self, run, experts, preemptions, *more):
        """Submits it; takes its place away whenever some more shards are finished."""
        with open(os.path.join(self.root, "ours.yaml"), "w", encoding="utf-8") as file:
            file.write("launcher_options: [--mpi=pmix]\n")
        out = self.koine("submit", self.recipe(f"{run}.yaml", experts), "--output", run, "--cluster", "ours.yaml", "--cores", "2", "--time",
                         "120", "--json", *more, env=self.cluster.environment)
        job = json.loads(out.splitlines()[-1])["jobs"][0]["id"]
        for n in range(preemptions):
            wanted = 6 * (n + 1)
            self.cluster.until(lambda w=wanted: self.finished(run) >= w, 900, f"{wanted} shards", lambda: self.cluster.log(job))
            self.cluster.command("scontrol", "requeue", job)
            time.sleep(2)
        self.cluster.wait_for(job, "COMPLETED", 1800)
        return job

    def run(self):
        o = self.options
        self.koine("synth", "--model", o.model, "--dtype", o.dtype, "--experts", str(o.experts + 1), "--output", "in")
        self.plain("warm", 2)
        five_seconds, five_memory = self.plain("five", 5)
        seconds, memory = self.plain("plain", o.experts)
        job = self.job("night1", o.experts, 2, "--cache", "cache")
        restarts = int(self.cluster.job(job)["Restarts"])
        is_same = contents(os.path.join(self.root, "plain")) == contents(os.path.join(self.root, "night1"))
        self.job("night2", o.experts + 1, 0, "--cache", "cache")
        made, found = (sum(rank[key] for rank in self.timing("night2")["ranks"]) for key in ("matrices_factorised", "matrices_found"))
        result = {"experts": o.experts, "model": o.model, "seconds_of_five": round(five_seconds, 1), "seconds": round(seconds, 1),
                  "times": round(seconds / five_seconds, 2), "memory_of_five": five_memory, "memory": memory,
                  "restarts": restarts, "same_bytes": is_same, "second_night_factorised": made, "second_night_found": found}
        print(json.dumps(result))
        return (is_same and restarts == 2 and memory <= MEMORY * five_memory and seconds <= TIME * five_seconds
                and made * (o.experts + 1) == made + found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small")
    parser.add_argument("--dtype", default="fp16")
    parser.add_argument("--experts", type=int, default=30)
    parser.add_argument("--scratch", required=True)
    night = Night(parser.parse_args())
    try:
        return 0 if night.run() else 1
    finally:
        night.cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
