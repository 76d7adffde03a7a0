"""The published algorithm's arithmetic on this GPU by PyTorch, beside Koine's: full and randomised SVDs of task vectors.

  gpu_torch.py FILE MODELS RUN      notes in FILE; MODELS: folders base and expert1, RUN: the merge of them on this GPU by
one thread

First what the device reaches by PyTorch, and which shares of that a lane does. Then of each shape 16 matrices are factorised, and the
median is multiplied by how many there are: marked as scaled. Where PyTorch is not installed, or sees no GPU, that is what is noted.
"""
import collections
import json
import os
import statistics
import struct
import sys
import time

import gpu_figures

SAMPLE, RANK = 16, 7


def tensors(folder):
    """name -> (file, offset, shape, type) of a folder's safetensors files."""
    found = {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".safetensors"):
            continue
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            for key, entry in json.loads(file.read(size)).items():
                if key != "__metadata__":
                    found[key] = (path, 8 + size + entry["data_offsets"][0], entry["shape"], entry["dtype"])
    return found


def load(torch, entry):
    path, offset, shape, dtype = entry
    count = shape[0] * shape[1]
    kind = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}[dtype]
    with open(path, "rb") as file:
        file.seek(offset)
        raw = bytearray(file.read(count * torch.empty(0, dtype=kind).element_size()))
    return torch.frombuffer(raw, dtype=kind).reshape(shape).to("cuda", torch.float32)


def selected(run):
    """Names of the matrices that the merge factorised, by shape."""
    shapes = collections.defaultdict(list)
    for tensor in gpu_figures.load(run, "report.json")["tensors"]:
        if any(":" in expert["method"] for expert in tensor["experts"]):
            shapes[tuple(tensor["shape"])].append(tensor["name"])
    return shapes


def median_seconds(torch, matrices, work):
    work(matrices[0])  # warms up
    seconds = []
    for matrix in matrices:
        torch.cuda.synchronize()
        start = time.perf_counter()
        work(matrix)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def full(torch):
    return lambda matrix: torch.linalg.svd(matrix, full_matrices=False)


def randomised(torch):
    return lambda matrix: torch.svd_lowrank(matrix, q=RANK + 10, niter=4)


def peaks(torch):
    """What this device reaches: float64 products and copies of page-locked memory to it."""
    a = torch.rand(8192, 8192, dtype=torch.float64, device="cuda")
    host = torch.empty(1 << 30, dtype=torch.uint8, pin_memory=True)
    product = median_seconds(torch, [a] * 3, lambda matrix: matrix @ matrix)
    copy = median_seconds(torch, [host] * 3, lambda buffer: buffer.to("cuda", non_blocking=True))
    return {"float64_gflops_per_s": round(2e-9 * 8192 ** 3 / product), "copy_gb_per_s": round(1e-9 * (1 << 30) / copy, 1)}


def shares(path, reached):
    """Of a lane with the device to itself."""
    lane = gpu_figures.step(path, "merge lane")
    if not lane:
        return {}
    found = {"copy_share_of_peak": round(lane["fp16_gb_per_s_to_the_gpu"] / reached["copy_gb_per_s"], 3)}
    if gpu_figures.step(path, "gram rates").get("chosen") == "float64":
        found["gram_share_of_peak"] = round(lane["gram_gflops_per_s_of_a_lane"] / reached["float64_gflops_per_s"], 3)
    return found


def main(path, models, run):
    try:
        import torch
    except (ImportError, OSError) as error:
        return gpu_figures.note(path, "pytorch", found=False, reason=str(error))
    if not torch.cuda.is_available():
        return gpu_figures.note(path, "pytorch", found=False, version=torch.__version__, reason="it sees no GPU")
    try:
        reached = peaks(torch)
        gpu_figures.note(path, "peaks by pytorch", version=torch.__version__, **reached, **shares(path, reached))
    except RuntimeError as error:  # no page-locked memory, say
        gpu_figures.note(path, "peaks by pytorch", reason=str(error))
    base, expert = tensors(os.path.join(models, "base")), tensors(os.path.join(models, "expert1"))
    seconds = {"full": 0.0, "randomised": 0.0}
    for shape, names in sorted(selected(run).items()):
        taus = [load(torch, expert[name]) - load(torch, base[name]) for name in names[:SAMPLE]]
        own = {kind: median_seconds(torch, taus, make(torch)) for kind, make in (("full", full), ("randomised", randomised))}
        gpu_figures.note(path, f"pytorch {shape[0]}x{shape[1]}", matrices=len(names), sampled=len(taus),
                         **{f"{kind}_svd_seconds": round(value, 5) for kind, value in own.items()})
        for kind, value in own.items():
            seconds[kind] += value * len(names)
    ours = sum(rank["gpu_lane_seconds"]["kernels"] for rank in gpu_figures.load(run, "timing.json")["ranks"]) / gpu_figures.experts_of(run)
    gpu_figures.note(path, "pytorch of one expert, scaled from the samples", version=torch.__version__,
                     full_svd_seconds=round(seconds["full"], 3), randomised_svd_seconds=round(seconds["randomised"], 3),
                     koine_kernel_seconds=round(ours, 4), full_over_koine=round(seconds["full"] / ours, 1),
                     goals={"under 0.3 s": ours < 0.3, "100 times as fast": seconds["full"] >= 100 * ours})
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
