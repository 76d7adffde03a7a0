#!/usr/bin/env python3
"""Writes golden_torch.hpp with torch itself. Needs the package torch, nothing else:

  python3 tests/formats/golden/make_golden_torch.py > tests/formats/golden/golden_torch.hpp
"""
import io
from collections import OrderedDict

import torch

block = torch.arange(6, dtype=torch.float32)
state = OrderedDict(
    half=torch.arange(6, dtype=torch.float16).reshape(2, 3) - 2.5,
    bfloat=torch.tensor([1.0, -3.0, 0.15625], dtype=torch.bfloat16),
    shared=block.reshape(2, 3),
    transposed=block.reshape(2, 3).t(),
    tail=block[4:],
    parameter=torch.nn.Parameter(torch.tensor([0.5])),
    scalar=torch.tensor(7.0, dtype=torch.float64),
    empty=torch.zeros((0, 4)),
    boolean=torch.tensor([True, False]),
    words=torch.tensor([40000, 2], dtype=torch.uint16),
)
state._metadata = OrderedDict({"": {"version": 1}})
dims = dict(zip(("n_mels", "n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer", "n_text_ctx",
                 "n_text_state", "n_text_head", "n_text_layer"), range(80, 90)))


def show(name, **options):
    buffer = io.BytesIO()
    torch.save({"dims": dims, "model_state_dict": state}, buffer, **options)
    data = buffer.getvalue()
    print(f"inline constexpr std::array<unsigned char, {len(data)}> {name}{{{{")
    for at in range(0, len(data), 32):
        print("    " + " ".join(f"{byte}," for byte in data[at:at + 32]))
    print("}};")


print("#pragma once\n")
print("#include <array>\n")
print(f"// Written by torch {torch.__version__.split('+')[0]}; make_golden_torch.py makes it again.")
show("kGoldenTorch")
print("\n// The same with pickle protocol 4.")
show("kGoldenTorchProtocol4", pickle_protocol=4)
