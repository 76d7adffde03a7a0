"""The scaling tables of docs/explanation/scaling.md: koine plan on a large-v3 whose files are headers and holes.

    python3 tests/docs/scaling.py --rates docs/explanation/rates/assumed_gpu.json --ranks-per-node 8 --shards fine

Seconds, balance and hours come from `koine plan --rates` alone; nothing is merged."""
import argparse
import json
import math
import os
import shutil
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import make_synth as synth  # noqa: E402
from koine_cli import koine  # noqa: E402

LARGE_V3 = dict(d=1280, n_enc=32, n_dec=32, n_mels=128, n_vocab=51866, n_audio_ctx=1500, n_text_ctx=448)
PROCESSES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def write_header(path):
    """float16 tensors without their bytes: a hole in the file."""
    entries, offset = {}, 0
    for name, shape in synth.entries(**LARGE_V3):
        size = 2 * math.prod(shape)
        entries[synth.to_hf(name)] = {"dtype": "F16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + offset)


def table(root, experts, options):
    recipe = {"merge_method": "lors", "base_model": "base.safetensors", "models": [{"model": f"e{t}.safetensors"} for t in range(experts)],
              "parameters": {"rank": 7, "density": 0.2, "lambda": 0.1}, "output": {"shards": options.shards}}
    with open(os.path.join(root, "r.yaml"), "w", encoding="utf-8") as file:
        json.dump(recipe, file)
    alone = None
    for processes in PROCESSES:
        args = ["plan", "r.yaml", "--ranks", processes, "--rates", os.path.abspath(options.rates), "--threads", options.threads, "--json"]
        if options.per_node:
            args += ["--ranks-per-node", min(processes, options.per_node)]
        done = koine(*args, cwd=root)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        plan = json.loads(done.stdout)
        alone = alone or plan["seconds"]
        hours = plan.get("gpu_hours", plan.get("core_hours"))
        yield (f"| {experts} | {processes} | {plan['seconds']:.3g} s | {alone / plan['seconds']:.3g} | {100 * plan['balance']:.0f} % | {hours:.2g} | "
               f"{plan['storage_read_bytes_per_s'] / 1e9:.2g} GB/s | {'all' if plan['shares_factors'] else 'owners'} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", required=True)
    parser.add_argument("--ranks-per-node", dest="per_node", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shards", default="layer")
    parser.add_argument("--experts", type=int, nargs="*", default=[5, 30, 100])
    options = parser.parse_args()
    root = tempfile.mkdtemp(prefix="koine-scaling-")
    try:
        write_header(os.path.join(root, "base.safetensors"))
        for t in range(max(options.experts)):
            os.link(os.path.join(root, "base.safetensors"), os.path.join(root, f"e{t}.safetensors"))
        print("| experts | processes | time | speed-up | balance | hours | read by all | factors found by |\n| --- " + "| --- " * 7 + "|")
        for experts in options.experts:
            for line in table(root, experts, options):
                print(line, flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
