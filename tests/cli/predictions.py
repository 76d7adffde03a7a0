"""What koine plan predicts with this machine's rates, beside what merges take: time within 25 % on 1 and 2 processes (median of five, warm
inputs, results in memory), order and balance alone on 4; bytes within 1 %, memory within 20 %.

    python3 tests/cli/predictions.py --model small --scratch /dev/shm

A quarter of an hour for Whisper small, and a quiet machine: not one of the suite's tests. One line of JSON per row; 1 where a promise does not
hold."""
import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from koine_cli import koine  # noqa: E402

TIME, BYTES, MEMORY = 0.25, 0.01, 0.20


def run(*args, **kwargs):
    done = koine(*args, timeout=3600, **kwargs)
    if done.returncode != 0:
        raise AssertionError(f"koine {args}: {done.returncode}\n{done.stderr}")
    return done.stdout


def timing(folder):
    with open(os.path.join(folder, "timing.json"), encoding="utf-8") as file:
        return json.load(file)


def off(predicted, measured):
    return predicted / measured - 1


def row(root, ranks, runs):
    plan = json.loads(run("plan", "in/lors.yaml", "--ranks", ranks, "--ranks-per-node", ranks, "--threads", 1, "--rates", "here.json", "--json",
                          cwd=root))
    seconds = []
    for _ in range(runs):
        run("merge", "in/lors.yaml", "--output", "run", "--threads", 1, "--fresh", "--quiet", ranks=ranks, cwd=root)
        last = timing(os.path.join(root, "run"))
        seconds.append(last["seconds"])
    processes = last["ranks"]
    busy = [sum(seconds for stage, seconds in p["stage_seconds"].items() if stage != "publish") for p in processes]
    return {"ranks": ranks, "predicted_s": round(plan["seconds"], 2), "median_s": round(statistics.median(seconds), 2),
            "time_off": round(off(plan["seconds"], statistics.median(seconds)), 3),
            "bytes_off": round(max(abs(off(plan[key], sum(p[key] for p in processes))) for key in ("bytes_read", "bytes_written")), 4),
            "memory_off": round(off(plan["memory_bytes_per_process"], max(p["peak_memory_bytes"] for p in processes)), 3),
            "balance_predicted": round(plan["balance"], 3), "balance": round(sum(busy) / (len(busy) * max(busy)), 3),
            "seconds": [round(s, 2) for s in seconds]}


def holds(r):
    in_time = r["ranks"] > 2 or abs(r["time_off"]) <= TIME
    return in_time and r["bytes_off"] <= BYTES and 0 <= r["memory_off"] <= MEMORY


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scratch", default="/dev/shm")
    options = parser.parse_args()
    root = tempfile.mkdtemp(prefix="koine-predictions-", dir=options.scratch)
    try:
        run("synth", "--model", options.model, "--experts", 5, "--output", "in", "--quiet", cwd=root)
        run("bench", "--only", "merge", "--model", options.model, "--scratch", root, "--threads", "1,2", "--rates", "here.json", "--quiet", cwd=root)
        rows = []
        for ranks in (1, 2, 4):
            rows.append(row(root, ranks, options.runs))
            print(json.dumps(rows[-1]), flush=True)
        return 0 if all(holds(r) for r in rows) else 1
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
