"""Judging a run folder by the oracle."""
import os
import subprocess

import numpy as np

from koine_cli import PYTHON, SOURCE
from mini_whisper import oracle

ORACLE = os.path.join(SOURCE, "tests", "oracle", "koine_oracle.py")


def ask(*args):
    done = subprocess.run([PYTHON, ORACLE, *map(str, args)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def inputs(base, experts):
    flags = ["--base", base]
    for expert in experts:
        flags += ["--expert", expert]
    return flags


def accepts(case, result, base, experts, method, rank=7, density=0.2, lam=0.2, out_dtype="same", fast=False, balanced=True):
    """The oracle's compare accepts the exported checkpoint. balanced=False: it explains every differing entry, but not as many go into
    the mask as out of it: where the cut falls between equal singular values, the band it widens there hides some of them."""
    code, text = ask("compare", *inputs(base, experts), "--method", method, "--rank", rank, "--density", density, "--lambda", lam,
                     "--out-dtype", out_dtype, "--result", result, *(["--fast"] if fast else []))
    if balanced:
        case.assertEqual(code, 0, text[-3000:])
    case.assertIn(" unexplained=0 ", text.splitlines()[-1], text[-3000:])
    return text.splitlines()[-1]


def equals(case, result, base, experts, method, lam=1.0, weights=None, out_dtype="same"):
    """The exported checkpoint equals the oracle's own merge bit for bit."""
    merged = oracle.merge(base, list(experts), method, lam=lam, weights=weights, out_dtype=out_dtype)
    found = oracle.Checkpoint(result)
    case.assertEqual(set(merged), set(found.by_canon))
    for name, (kind, raw) in merged.items():
        stored = found.by_canon[name]
        case.assertEqual(found.dtype(stored), kind, name)
        case.assertTrue(np.array_equal(np.ascontiguousarray(found.raw(stored)).view(np.uint8),
                                       np.ascontiguousarray(raw).view(np.uint8)), f"{name} differs from the oracle")
