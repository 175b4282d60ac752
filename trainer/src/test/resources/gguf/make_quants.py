"""Writes quants.safetensors: float32 values, and the bytes that the gguf package stores them as.

usage: make_quants.py OUT
x F32 [256, 64]; f16, bf16, q8_0, q4_0 U8 [256, bytes of a row].
"""

import sys

import gguf
import numpy as np
from gguf.constants import GGMLQuantizationType as Type
from safetensors.numpy import save_file

random = np.random.default_rng(7)
x = random.standard_normal((256, 64)).astype(np.float32)
x *= (10.0 ** random.integers(-6, 4, (256, 1))).astype(np.float32)
x[0] = 0
x[1] = -0.0
x[2] = np.arange(64) - 32
x[3] = 127 * np.where(np.arange(64) % 2, -1, 1)  # every value is a largest one
x[4, :32] = (np.arange(32) - 16) + np.float32(0.5)  # halves
x[4, 0] = 127
x[5, :32] = np.nextafter(np.float32(0.5), np.float32(0))  # just below a half
x[5, 0] = 127
x[6] = np.float32(1e-9)
x[7, :32] = 0.25 * (np.arange(32) - 16)
x[8] = np.float32(65504)
x[9] = random.integers(-8, 8, 64)
x[10] = np.float32(6e-8) * np.arange(64)  # subnormal halves
tensors = {"x": x}
for kind in (Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0):
    tensors[kind.name.lower()] = np.ascontiguousarray(gguf.quantize(x, kind)).view(np.uint8)
save_file(tensors, sys.argv[1], {"gguf": "written with the gguf package"})
