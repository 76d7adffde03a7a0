"""What gpu_check.sh notes: a line on the terminal and a step in a JSON file, written anew after every step.

  gpu_figures.py note FILE STEP SECONDS [KEY=VALUE...]
  gpu_figures.py merged FILE RUN SECONDS          stage times of a merge
  gpu_figures.py solvers FILE RUN                 exit 1 where the host had to solve a matrix
  gpu_figures.py compare FILE DIFF SECONDS        exit 1 below 99.9 % of equal entries
"""
import collections
import json
import math
import os
import sys

LEAST_EQUAL = 0.999


def load(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def note(path, step, **figures):
    document = load(path) if os.path.exists(path) else {"schema": "koine-gpu-check-1", "steps": []}
    document["steps"].append({"step": step, **figures})
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".tmp", path)
    print(f"{step}: " + ", ".join(f"{key} {value}" for key, value in figures.items()), flush=True)


def merged(path, run, seconds):
    timing = load(run, "timing.json")
    stages = collections.Counter()
    for rank in timing["ranks"]:
        stages.update(rank["stage_seconds"])
    note(path, f"merge {os.path.basename(run)}", seconds=seconds, merge_seconds=round(timing["seconds"], 3),
         arithmetic=load(run, "manifest.json")["arithmetic"], stage_seconds={k: round(v, 3) for k, v in stages.items()})


def solvers(path, run):
    methods = collections.Counter(
        expert["method"] for tensor in load(run, "report.json")["tensors"] for expert in tensor["experts"])
    note(path, "solvers", **methods)
    on_device = sum(count for method, count in methods.items() if method.startswith("cuda:"))
    on_host = sum(count for method, count in methods.items() if method.startswith("host:"))
    return 0 if on_device > 0 and on_host == 0 else 1


def compare(path, diff, seconds):
    entries = different = 0
    for tensor in load(diff)["tensors"]:
        count = math.prod(tensor["shape_a"])
        entries += count
        different += tensor.get("elements_beyond_tolerance", count)
    equal = 1 - different / entries
    note(path, "against the CPU", seconds=seconds, entries=entries, different=different, equal_share=equal)
    return 0 if equal >= LEAST_EQUAL else 1


def main(words):
    command, path, *rest = words
    if command == "note":
        step, seconds, *pairs = rest
        return note(path, step, seconds=seconds, **dict(pair.split("=", 1) for pair in pairs))
    return {"merged": merged, "solvers": solvers, "compare": compare}[command](path, *rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
