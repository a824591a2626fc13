"""fpsim: a bit-accurate FP4 hardware simulator and RTL reference for quantized diffusion transformers."""

from fpsim import formats, vectors
from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.layer import Machine
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.formats import Accumulator, Format
from fpsim.kernels.cast import decode, encode
from fpsim.kernels.hadamard import hadamard
from fpsim.kernels.matmul import matmul
from fpsim.kernels.pack import pack, unpack
from fpsim.quant.tensor import Quantized, quantize

__all__ = [
    "Accumulator",
    "ArrayConfig",
    "Format",
    "LayerProgram",
    "Machine",
    "Quantized",
    "StaticScale",
    "UnitConfig",
    "decode",
    "encode",
    "formats",
    "hadamard",
    "matmul",
    "pack",
    "quantize",
    "unpack",
    "vectors",
]
