#!/usr/bin/env python3
"""Writes golden_safetensors.hpp with the reference writer. Needs the packages safetensors and torch:

  python3 tests/formats/make_golden_safetensors.py > tests/formats/golden_safetensors.hpp
"""
import safetensors
import torch
from safetensors.torch import save

tensors = {
    "b.half": torch.arange(6, dtype=torch.float16).reshape(2, 3) - 2.5,
    "a.float": torch.tensor([1.5, -2.25], dtype=torch.float32),
    "c.bfloat": torch.tensor([1.0, -3.0, 0.15625], dtype=torch.bfloat16),
    "d.scalar": torch.tensor(7.0, dtype=torch.float32),
    "e.empty": torch.zeros((0, 4), dtype=torch.float32),
    "f.long": torch.tensor([-1], dtype=torch.int64),
    "g.bool": torch.tensor([True, False, True]),
    "h.int": torch.tensor([[3, -4]], dtype=torch.int32),
    "i.byte": torch.tensor([200], dtype=torch.uint8),
    "j.double": torch.tensor([0.1], dtype=torch.float64),
    "k.char": torch.tensor([-7], dtype=torch.int8),
    "l.short": torch.tensor([-300], dtype=torch.int16),
    "é.utf8": torch.tensor([2.0], dtype=torch.float16),
}
data = save(tensors, metadata={"format": "pt"})
print("#pragma once\n")
print("#include <array>\n")
print(f"// Written by safetensors {safetensors.__version__}; make_golden_safetensors.py makes it again.")
print(f"inline constexpr std::array<unsigned char, {len(data)}> kGolden{{{{")
for at in range(0, len(data), 16):
    print("    " + " ".join(f"0x{byte:02x}," for byte in data[at:at + 16]))
print("}};")
