"""What gpu_check.sh notes: a line on the terminal and a step in a JSON file, written anew after every step.

  gpu_figures.py note FILE STEP SECONDS [KEY=VALUE...]
  gpu_figures.py libraries                        folders of CUDA's and NCCL's libraries among Python's packages, with colons
  gpu_figures.py libraries_found FILE VERSION     exit 1 where the CUDA library could not be opened
  gpu_figures.py storage FILE BENCH               what koine bench says of it
  gpu_figures.py merged FILE RUN SECONDS          stage times of a merge, and the rates of the device
  gpu_figures.py solvers FILE RUN                 exit 1 where the host had to solve a matrix
  gpu_figures.py compare FILE DIFF CPU CUDA SECONDS      exit 1 below 99.9 % of equal entries
"""
import collections
import glob
import json
import math
import os
import site
import sys
import sysconfig

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


def step(path, name):
    """The last step of that name; empty where there is none."""
    found = [s for s in load(path)["steps"] if s["step"] == name] if os.path.exists(path) else []
    return found[-1] if found else {}


def number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False}.get(text, text)


def libraries():
    roots = [sysconfig.get_paths()["purelib"], site.getusersitepackages()]
    folders = [folder for root in roots for folder in sorted(glob.glob(os.path.join(root, "nvidia", "*", "lib")))]
    wanted = ("libcudart.so.*", "libcublas.so.*", "libcusolver.so.*", "libcusparse.so.*", "libnvJitLink.so.*", "libnccl.so.*")
    print(":".join(f for f in folders if any(glob.glob(os.path.join(f, name)) for name in wanted)))


def libraries_found(path, version):
    found = load(version)
    note(path, "libraries", cuda=found["cuda"], nccl=found["nccl"], blas=found["blas"], commit=found["commit"])
    return 0 if found["cuda"] else 1


def storage(path, bench):
    with open(bench, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    rates_of = {line["bench"]: round(1e-9 * line["bytes_per_s"], 2) for line in lines}
    note(path, "storage", **{f"{name}_gb_per_s": rate for name, rate in rates_of.items()}, threads=lines[-1]["threads"])


def merged(path, run, seconds):
    timing = load(run, "timing.json")
    parts = {"stage_seconds": collections.Counter(), "gpu_lane_seconds": collections.Counter(), "gpu_kernel_seconds": collections.Counter()}
    for rank in timing["ranks"]:
        for part, seconds_of in parts.items():
            seconds_of.update(rank.get(part, {}))
    figures = {part: {k: round(v, 4) for k, v in sums.items()} for part, sums in parts.items() if sums}
    if parts["gpu_lane_seconds"]:
        figures.update(rates(path, run, parts["gpu_lane_seconds"], parts["gpu_kernel_seconds"]))
    bytes_of = {what: sum(rank[f"bytes_{what}"] for rank in timing["ranks"]) for what in ("read", "written")}
    storage_rates = step(path, "storage")
    if storage_rates:
        bound = 1e-9 * (bytes_of["read"] / storage_rates["page_cache_read_gb_per_s"]
                        + bytes_of["written"] / storage_rates["write_fsync_gb_per_s"])
        figures.update(storage_seconds=round(bound, 3), times_storage=round(timing["seconds"] / bound, 2))
    figures.update({f"gb_{what}": round(1e-9 * count, 3) for what, count in bytes_of.items()}, peak_memory_bytes=peak_memory(run))
    note(path, f"merge {os.path.basename(run)}", seconds=number(seconds), merge_seconds=round(timing["seconds"], 3),
         arithmetic=load(run, "manifest.json")["arithmetic"], **figures)


def rates(path, run, lanes, kernels):
    """What the device did in a second of its lanes' time, which overlap where there are several: Gram matrices (2 m^2 n flops
    each; as a share of what they reach alone, too), and copies."""
    flops = elements = 0
    for tensor in load(run, "report.json")["tensors"]:
        made = sum(expert["method"].startswith("cuda:") for expert in tensor["experts"])
        if made:
            short, long = sorted(tensor["shape"])
            flops += 2 * short * short * long * made
            elements += short * long * (made + 1)  # and the base's
    gram = step(path, "gram rates")
    alone = gram.get(f"{gram.get('chosen')}_gflops_per_s")
    share = {"gram_share_of_its_rate_alone": round(1e-9 * flops / kernels["Gram"] / alone, 3)} if alone else {}
    return {"gram_gflops_per_s_of_a_lane": round(1e-9 * flops / kernels["Gram"], 1), **share,
            "fp16_gb_per_s_to_the_gpu": round(2e-9 * elements / lanes["to the GPU"], 2),
            "seconds_of_kernels_an_expert": round(lanes["kernels"] / experts_of(run), 4)}


def peak_memory(run):
    return max(rank["peak_memory_bytes"] for rank in load(run, "timing.json")["ranks"])


def experts_of(run):
    return len(load(run, "report.json")["experts"])


def solvers(path, run):
    methods = collections.Counter(
        expert["method"] for tensor in load(run, "report.json")["tensors"] for expert in tensor["experts"])
    note(path, "solvers", **methods)
    on_device = sum(count for method, count in methods.items() if method.startswith("cuda:"))
    on_host = sum(count for method, count in methods.items() if method.startswith("host:"))
    return 0 if on_device > 0 and on_host == 0 else 1


def compare(path, diff, cpu, cuda, seconds):
    entries = different = 0
    document = load(diff)
    for tensor in document["tensors"]:
        count = math.prod(tensor["shape_a"])
        entries += count
        different += tensor.get("elements_beyond_tolerance", count)
    equal = 1 - different / entries
    note(path, "against the CPU", seconds=number(seconds), entries=entries, different=different, equal_share=equal,
         largest_difference=document["largest_difference"], cpu_peak_memory_bytes=peak_memory(cpu),
         cuda_peak_memory_bytes=peak_memory(cuda))
    return 0 if equal >= LEAST_EQUAL else 1


def main(words):
    command, *rest = words
    if command == "note":
        path, name, seconds, *pairs = rest
        figures = dict(pair.split("=", 1) for pair in pairs)
        return note(path, name, seconds=number(seconds), **{key: number(value) for key, value in figures.items()})
    return {"libraries": libraries, "libraries_found": libraries_found, "storage": storage, "merged": merged, "solvers": solvers,
            "compare": compare}[command](*rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
