"""Small Whisper-shaped checkpoints written without Koine: numpy and the oracle's own safetensors writer."""
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import koine_oracle as oracle  # noqa: E402
import make_synth as synth  # noqa: E402

KIND = {"fp32": "F32", "fp16": "F16", "bf16": "BF16"}
SMALL = dict(d=64, n_enc=2, n_dec=2, n_mels=8, n_vocab=211, n_audio_ctx=40, n_text_ctx=24)


def shapes(**dims):
    """(canonical name, shape) of every tensor."""
    return synth.entries(**{**SMALL, **dims})


def values(expert, seed=7, rank=6, **dims):
    """{canonical name: float32 array}; expert 0 is the base."""
    out = {}
    for name, shape in shapes(**dims):
        x = synth.base_tensor(seed, name, shape)
        if expert and name != "encoder.positional_embedding":
            x = x + synth.delta_tensor(seed, name, shape, expert, rank=rank)
        out[name] = x
    return out


def stored(name, naming):
    return synth.to_hf(name) if naming == "hf" else name


def write_file(path, tensors, dtype="fp32", naming="hf", extra=()):
    """One .safetensors file; extra: (name, kind, array) triples as they are."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    named = [(stored(n, naming), KIND[dtype], synth.encode(x, dtype)) for n, x in tensors.items()]
    oracle.write_safetensors(path, named + list(extra))
    return path


def write_sharded(folder, tensors, dtype="fp32", naming="hf", parts=3):
    """An HF folder of several files and an index."""
    names = sorted(tensors)
    weight_map, total = {}, 0
    for part in range(parts):
        leaf = f"model-{part + 1:05d}-of-{parts:05d}.safetensors"
        mine = {n: tensors[n] for n in names[part::parts]}
        write_file(os.path.join(folder, leaf), mine, dtype, naming)
        for n, x in mine.items():
            weight_map[stored(n, naming)] = leaf
            total += synth.encode(x, dtype).nbytes
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as f:
        json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, f)
    return folder


def write_family(root, experts=3, dtype="fp32", naming="hf", **dims):
    """root/base and root/expert1 …, as folders with model.safetensors and config.json."""
    for t in range(experts + 1):
        folder = os.path.join(root, f"expert{t}" if t else "base")
        write_file(os.path.join(folder, "model.safetensors"), values(t, **dims), dtype, naming)
        with open(os.path.join(folder, "config.json"), "w") as f:
            json.dump({"model_type": "whisper", "d_model": 64, "torch_dtype": "float32"}, f, indent=1)
    return root


def write_recipe(path, method="lors", experts=3, base="base", models=None, **keys):
    """A recipe beside the models; keys go to the top level, `parameters` as a dict."""
    models = models or [f"expert{t}" for t in range(1, experts + 1)]
    recipe = {"merge_method": method, "base_model": base, "models": [{"model": m} for m in models], **keys}
    with open(path, "w") as f:
        json.dump(recipe, f, indent=1)          # JSON is YAML
    return path
