"""W4A4 in blocks under 8-bit scales: MXFP4 (OCP MX v1.0) and NVFP4 (arXiv 2509.25149), rotated or not.

Rows and weights are quantized by the same recipe of `fpsim.formats.tensor_recipes`. A rotation has the size
of a block or a multiple of it, and is done at every input (ours: there is no paper for it). NVFP4 needs a
tensor scale for the rows before they are seen: it is made for twice the largest magnitude of the calibration
(ours). The factor costs no accuracy, since a block's scale has room: a block needs a largest magnitude below
2^-15 of the tensor's before its UE4M3 scale is subnormal.

With GPTQ the block scales stay those of the weights before it, and the codes follow its corrections; H is of
the rows as the unit meets them, rotated and quantized (ours; HQ-DiT, arXiv 2405.19751, has one scale per
channel).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fpsim.array.block import BlockProgram, block_recipe
from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.formats.tensor_recipes import NvRecipe
from fpsim.kernels.cast import decode, encode
from fpsim.quant.calibration import Calibration
from fpsim.quant.gptq import gptq, second_moments
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.rotation import random_signs, rotate_columns
from fpsim.quant.scales import fp16_bits
from fpsim.quant.tensor import Quantized, quantize

AMAX_MARGIN = 2.0
SEED = 0


@dataclass(frozen=True)
class BlockScaled:
    """W4A4 in blocks.

    Attributes:
        tensor_recipe: MX or NVFP4 recipe of rows and weights.
        hadamard_n: block size of the rotation, 2^k, 12 · 2^k or 36 · 2^k; None: no rotation.
        use_gptq: weight codes by GPTQ under the scales that the recipe gives.
        seed: of the random sign vectors.
    """

    tensor_recipe: str
    name: str
    title: str
    hadamard_n: int | None = None
    use_gptq: bool = False
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
        # As the machine is handed them: FP16 numbers, whose sums in a rotation are exact in float64.
        bits = fp16_bits(calibration.rows[name], f"{name}: input")
        rows, signs = bits.view(np.float16).astype(np.float64), None
        amax = calibration.amax[name]
        if self.hadamard_n is not None:
            signs = random_signs(weight.shape[1], self.seed, name)
            root = np.sqrt(self.hadamard_n)  # the engine's rotation is not normalized
            weight = rotate_columns(weight, self.hadamard_n, signs) / root
            rows = rotate_columns(rows, self.hadamard_n, signs) * root
            amax = float(np.abs(rows).max())
        static = None
        if isinstance(block_recipe(self.tensor_recipe), NvRecipe):
            static = float(np.float32(AMAX_MARGIN * amax))
        weights = quantize(weight, self.tensor_recipe)
        if self.use_gptq:
            met = quantize(rows, self.tensor_recipe, amax=static).dequantize()
            weights = with_gptq(weights, weight, second_moments(met))
        return program_blocks(name, weights, bias, act_amax=static, signs=signs, hadamard_n=self.hadamard_n)


def with_gptq(quantized: Quantized, weight: NDArray[np.float64], hessian: NDArray[np.float64]) -> Quantized:
    """New codes by GPTQ under the same scales.

    Args:
        quantized: of the weights, by an MX or NVFP4 recipe along the last axis.
        weight: float64 (N, K), what was quantized.
        hessian: float64 (K, K), of the rows that the weights will meet.
    """
    recipe = block_recipe(quantized.recipe)
    factor = 1.0 if quantized.tensor_scale is None else float(quantized.tensor_scale)
    steps = decode(quantized.scales.astype(np.uint8), recipe.scale).astype(np.float64) * factor
    codes = np.zeros_like(quantized.codes)

    def nearest(column: NDArray[np.float64], k: int) -> NDArray[np.float64]:
        step = steps[:, k // recipe.block_size]
        units = np.divide(column, step, out=np.zeros_like(column), where=step > 0)
        codes[:, k] = encode(units.astype(np.float32), recipe.element)
        return decode(codes[:, k].copy(), recipe.element).astype(np.float64) * step

    gptq(weight, hessian, nearest)
    return replace(quantized, codes=codes)


def program_blocks(
    name: str,
    weights: Quantized,
    bias: NDArray[np.float64],
    *,
    act_amax: float | None = None,
    signs: NDArray[np.int8] | None = None,
    hadamard_n: int | None = None,
) -> BlockProgram:
    """The program of a layer whose weights are quantized in blocks; rows by the same recipe.

    Args:
        name: the layer's name.
        weights: (N, K), by an MX or NVFP4 recipe along the last axis; rotated and divided by sqrt(n) once
            more if `signs` is given.
        bias: float64 (N,).
        act_amax, signs, hadamard_n: as `BlockProgram` has them.
    """
    return BlockProgram(
        name,
        weights.recipe,
        weights.recipe,
        weights.codes,
        weights.scales.astype(np.uint8),
        fp16_bits(bias, f"{name}: bias"),
        1.0 if weights.tensor_scale is None else float(weights.tensor_scale),
        act_amax,
        signs,
        hadamard_n,
    )


BLOCK_RECIPES = (
    BlockScaled("mxfp4-floor", "mxfp4", "MXFP4, OCP floor scales"),
    BlockScaled("mxfp4-even", "mxfp4-even", "MXFP4, scales by the even rule"),
    BlockScaled("mxfp4-even", "mxfp4-rotated", "MXFP4, even scales, H32 on rows and weights", 32),
    BlockScaled(
        "mxfp4-even", "mxfp4-rotated-gptq", "MXFP4, even scales, H32, weights by GPTQ", 32, use_gptq=True
    ),
    BlockScaled("nvfp4", "nvfp4", "NVFP4"),
    BlockScaled("nvfp4", "nvfp4-gptq", "NVFP4, weights by GPTQ", use_gptq=True),
    BlockScaled("nvfp4", "nvfp4-rotated", "NVFP4, H16 on rows and weights", 16),
)
