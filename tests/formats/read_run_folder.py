"""A stranger reads a run folder: h5py alone, through model.h5. Usage: read_run_folder.py RUN"""
import hashlib
import json
import pathlib
import sys

import h5py
import numpy

SEEN_AS = {"bool": "bool", "bfloat16": "float32"}  # every other dtype is numpy's own of that name


def raw_bytes(run, entry):
    """What the manifest says where the tensor lies, without HDF5."""
    with open(run / entry["shard"], "rb") as file:
        file.seek(entry["offset"])
        return file.read(entry["bytes"])


def expected_values(dtype, raw, shape):
    if dtype == "bfloat16":
        wide = numpy.frombuffer(raw, "<u2").astype("<u4") << 16
        return wide.view("<f4").reshape(shape)
    return numpy.frombuffer(raw, numpy.dtype(SEEN_AS.get(dtype, dtype)).newbyteorder("<")).reshape(shape)


def check_tensor(run, name, entry, dataset):
    raw = raw_bytes(run, entry)
    assert hashlib.sha256(raw).hexdigest() == entry["sha256"], name
    assert dataset.chunks is None and dataset.compression is None, name
    assert not dataset.shuffle and not dataset.fletcher32 and dataset.external is None, name
    assert dataset.shape == tuple(entry["shape"]), name
    if entry["bytes"]:
        assert dataset.id.get_offset() == entry["offset"], name
    if entry["bytes"] >= 4096:
        assert entry["offset"] % 4096 == 0, name
    values = dataset[()]
    assert values.dtype == numpy.dtype(SEEN_AS.get(entry["dtype"], entry["dtype"])), (name, values.dtype)
    expected = expected_values(entry["dtype"], raw, entry["shape"])
    assert numpy.asarray(values).tobytes() == expected.tobytes(), name


def check_seal(run):
    text = (run / "manifest.json").read_text()
    body = text[: text.rindex(",\n")] + "\n}\n"
    assert hashlib.sha256(body.encode()).hexdigest() == json.loads(text)["manifest_sha256"]


def main():
    run = pathlib.Path(sys.argv[1])
    manifest = json.loads((run / "manifest.json").read_text())
    check_seal(run)
    with h5py.File(run / "model.h5", "r") as model:
        assert model.attrs["format"] == "koine-run" and model.attrs["version"] == 1
        assert sorted(model["tensors"]) == sorted(manifest["tensors"])
        for name, entry in manifest["tensors"].items():
            check_tensor(run, name, entry, model["tensors"][name])
    for shard in run.glob("shards/*.h5"):
        with h5py.File(shard, "r") as file:
            assert dict(file.attrs) == {"format": "koine-shard", "version": 1, "shard": shard.stem}, dict(file.attrs)
            assert list(file) == ["tensors"]


main()
