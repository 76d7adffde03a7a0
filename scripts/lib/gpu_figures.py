"""What gpu_check.sh notes: a line on the terminal and a step in a JSON file, written anew after every step.

  gpu_figures.py note FILE STEP SECONDS [KEY=VALUE...]
  gpu_figures.py merged FILE RUN SECONDS          stage times of a merge, and the rates of the device
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
    parts = {"stage_seconds": collections.Counter(), "gpu_lane_seconds": collections.Counter(), "gpu_kernel_seconds": collections.Counter()}
    for rank in timing["ranks"]:
        for part, seconds_of in parts.items():
            seconds_of.update(rank.get(part, {}))
    figures = {part: {k: round(v, 4) for k, v in sums.items()} for part, sums in parts.items() if sums}
    if parts["gpu_lane_seconds"]:
        figures.update(rates(run, parts["gpu_lane_seconds"], parts["gpu_kernel_seconds"]))
    note(path, f"merge {os.path.basename(run)}", seconds=seconds, merge_seconds=round(timing["seconds"], 3),
         arithmetic=load(run, "manifest.json")["arithmetic"], **figures)


def rates(run, lanes, kernels):
    """What the device did in a second of one lane's time: Gram matrices (2 m^2 n flops each), and its copies."""
    flops = elements = 0
    for tensor in load(run, "report.json")["tensors"]:
        made = sum(expert["method"].startswith("cuda:") for expert in tensor["experts"])
        if made:
            short, long = sorted(tensor["shape"])
            flops += 2 * short * short * long * made
            elements += short * long * (made + 1)  # and the base's
    return {"gram_gflops_per_s_of_a_lane": round(1e-9 * flops / kernels["Gram"], 1),
            "fp16_gb_per_s_to_the_gpu": round(2e-9 * elements / lanes["to the GPU"], 2),
            "seconds_of_kernels_an_expert": round(lanes["kernels"] / experts_of(run), 4)}


def experts_of(run):
    return len(load(run, "report.json")["experts"])


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
