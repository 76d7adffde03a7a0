"""One tensor over 2 GiB through read, merge, HDF5, export, verify. Needs 11 GB of disk: only with KOINE_BIG_TESTS=1."""
import json
import os
import struct
import sys

import h5py
import numpy as np
from koine_cli import Case, main

ROWS, COLS, CHUNK = 600_000, 1024, 20_000        # 2.46 GB of float32: more than any int counts in bytes
NAME = "model.decoder.embed_tokens.weight"


def chunk(model, first):
    """Rows [first, first + CHUNK) of a model: cheap, different everywhere."""
    i = np.arange(first, first + CHUNK, dtype=np.float32)[:, None]
    return (i * np.float32(1e-3) + np.arange(COLS, dtype=np.float32) * np.float32(model + 1)).astype("<f4")


def write(folder, model):
    os.makedirs(folder)
    head = json.dumps({NAME: {"dtype": "F32", "shape": [ROWS, COLS], "data_offsets": [0, ROWS * COLS * 4]}}).encode()
    head += b" " * (-len(head) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head)
        for first in range(0, ROWS, CHUNK):
            f.write(chunk(model, first).tobytes())


def expected(first):
    base = chunk(0, first)
    tau = chunk(1, first) - base
    return (base.astype(np.float64) + 0.5 * (np.float64(1) * tau.astype(np.float64))).astype("<f4")


class BigTensor(Case):
    def test_whole_way(self):
        write(self.path("base"), 0)
        write(self.path("expert"), 1)
        with open(self.path("r.yaml"), "w") as f:
            f.write("merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: expert}]\nparameters: {lambda: 0.5}\n")
        self.run_ok("merge", "r.yaml", "--output", "run", "--memory", "200MB")
        with open(self.path("run", "timing.json")) as f:
            self.assertLess(json.load(f)["ranks"][0]["peak_memory_bytes"], 200e6)
        self.run_ok("verify", "run")
        self.run_ok("export", "run", "--format", "hf", "--output", "out")
        self.run_ok("diff", "run", "out")
        with h5py.File(self.path("run", "model.h5"), "r") as model:
            for first in (0, 280_000, ROWS - CHUNK):     # the middle one lies around byte 2^30, the last beyond 2^31
                self.assertTrue(np.array_equal(model["tensors"][NAME][first:first + CHUNK], expected(first)))


if __name__ == "__main__":
    if not os.environ.get("KOINE_BIG_TESTS"):
        print("skipped: set KOINE_BIG_TESTS=1 (11 GB of disk)")
        sys.exit(77)
    main()
