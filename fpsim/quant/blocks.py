"""W4A4 in blocks under 8-bit scales: MXFP4 (OCP MX v1.0) and NVFP4 (arXiv 2509.25149), rotated or not.

Rows and weights are quantized by the same recipe of `fpsim.formats.tensor_recipes`. A rotation has the size
of a block or a multiple of it, and is done at every input (ours: there is no paper for it). NVFP4 needs a
tensor scale for the rows before they are seen: it is made for twice the largest magnitude of the calibration
(ours). The factor costs no accuracy, since a block's scale has room: a block needs a largest magnitude below
2^-15 of the tensor's before its UE4M3 scale is subnormal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.block import BlockProgram, block_recipe
from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.formats.tensor_recipes import NvRecipe
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.rotation import random_signs, rotate_columns
from fpsim.quant.scales import fp16_bits
from fpsim.quant.tensor import quantize

AMAX_MARGIN = 2.0
SEED = 0


@dataclass(frozen=True)
class BlockScaled:
    """W4A4 in blocks.

    Attributes:
        tensor_recipe: MX or NVFP4 recipe of rows and weights.
        hadamard_n: block size of the rotation, 2^k, 12 · 2^k or 36 · 2^k; None: no rotation.
        seed: of the random sign vectors.
    """

    tensor_recipe: str
    name: str
    title: str
    hadamard_n: int | None = None
    seed: int = SEED

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Rotate the weights where rows are, and quantize them."""
        programs = [
            self._program(name, weight_of(linear), bias_of(linear), calibration)
            for name, linear in block_linears(model).items()
        ]
        return QuantizedModel.single(self.name, model, programs)

    def _program(
        self,
        name: str,
        weight: NDArray[np.float64],
        bias: NDArray[np.float64],
        calibration: Calibration,
    ) -> BlockProgram:
        signs = None
        if self.hadamard_n is not None:
            signs = random_signs(weight.shape[1], self.seed, name)
            weight = rotate_columns(weight, self.hadamard_n, signs) / np.sqrt(self.hadamard_n)
        amax = None
        if isinstance(block_recipe(self.tensor_recipe), NvRecipe):
            amax = AMAX_MARGIN * largest_input(calibration, name, self.hadamard_n, signs)
        return program_blocks(
            name,
            weight,
            bias,
            self.tensor_recipe,
            act_amax=amax,
            signs=signs,
            hadamard_n=self.hadamard_n,
        )


def largest_input(
    calibration: Calibration, name: str, hadamard_n: int | None, signs: NDArray[np.int8] | None
) -> float:
    """The largest magnitude of a layer's rows in the calibration; rotated, but not normalized, if asked."""
    if hadamard_n is None or signs is None:
        return calibration.amax[name]
    rotated = rotate_columns(calibration.rows[name].astype(np.float64), hadamard_n, signs)
    return float(np.abs(rotated).max() * np.sqrt(hadamard_n))


def program_blocks(
    name: str,
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    tensor_recipe: str,
    *,
    act_amax: float | None = None,
    signs: NDArray[np.int8] | None = None,
    hadamard_n: int | None = None,
) -> BlockProgram:
    """Quantize a layer's weights in blocks.

    Args:
        name: the layer's name.
        weight: float64 (N, K), rotated and divided by sqrt(n) once more if `signs` is given.
        bias: float64 (N,).
        tensor_recipe: of rows and weights.
        act_amax, signs, hadamard_n: as `BlockProgram` has them.
    """
    quantized = quantize(weight, tensor_recipe)
    assert quantized.scales.dtype == np.uint8
    factor = 1.0 if quantized.tensor_scale is None else float(quantized.tensor_scale)
    return BlockProgram(
        name,
        tensor_recipe,
        tensor_recipe,
        quantized.codes,
        quantized.scales.astype(np.uint8),
        fp16_bits(bias, f"{name}: bias"),
        factor,
        act_amax,
        signs,
        hadamard_n,
    )
