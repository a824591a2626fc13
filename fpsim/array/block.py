"""A layer on block-scaled dot products: MX (dot_mx) or NVFP4 (dot_nvfp4), beside the array.

Rows are quantized on arrival by a recipe of `fpsim.formats.tensor_recipes`. NVFP4's tensor scale of the rows
is static, made for `act_amax`: a dynamic one needs the whole tensor before the first row can go (ours).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import UnitConfig
from fpsim.array.fields import check_array, check_finite_fp16, check_matrix
from fpsim.array.protocol import FloatRun, OperandBits, Run
from fpsim.array.uniform import refuse_special, rotate_float, rotation_matrix
from fpsim.formats import get
from fpsim.formats.tensor_recipes import MxRecipe, NvRecipe, get_tensor_recipe
from fpsim.kernels.block_rows import block_rows, fits_quantizer, special_rows
from fpsim.kernels.cast import decode
from fpsim.kernels.dot_block import block_operand, dot_block
from fpsim.kernels.epilogue_float import scaled_to_fp16
from fpsim.kernels.float32 import scaled_product
from fpsim.kernels.mx_block import mx_blocks
from fpsim.kernels.nv_block import nv_blocks


def block_recipe(name: str) -> MxRecipe | NvRecipe:
    """The MX or NVFP4 recipe of that name. Raises ValueError for any other."""
    recipe = get_tensor_recipe(name)
    if not isinstance(recipe, MxRecipe | NvRecipe):
        raise ValueError(f"recipe={name!r}: expected an MX or NVFP4 recipe")
    return recipe


def activation_scale(recipe: MxRecipe | NvRecipe, amax: float | None) -> np.float32:
    """The tensor scale of rows under a static amax; 1 for MX."""
    if isinstance(recipe, MxRecipe):
        return np.float32(1)
    assert amax is not None
    return nv_blocks(np.zeros((1, 1), np.float32), recipe, np.float32(amax))[2]


@dataclass(frozen=True, eq=False)
class BlockProgram:
    """What the block-scaled unit is loaded with to run y = W x + b on FP16 rows.

    y = FP16(acc · c + b), c = float32(tensor scale of the rows · weight_tensor_scale), one rounding
    each.

    Attributes:
        name: the layer's name in its model.
        act_recipe: recipe that rows are quantized by, "mx..." or "nvfp4...".
        weight_recipe: recipe that says what the weight codes mean, of the same kind.
        weight_codes: uint8 (N, K), one code per weight.
        weight_scales: uint8 (N, ceil(K / block)), finite scale codes.
        bias: uint16 (N,), FP16 bits, finite.
        weight_tensor_scale: a positive normal float32; 1 for MX.
        act_amax: NVFP4: the largest magnitude that the rows' tensor scale is made for; where rows are
            rotated, of the rotated row, which is not normalized. None: MX.
        signs: int8 (K,) of +1 and −1 if rows are rotated on the way in (1/n is in the weights); else None.
        hadamard_n: block size of that rotation; None: the Hadamard engine's.
    """

    name: str
    act_recipe: str
    weight_recipe: str
    weight_codes: NDArray[np.uint8]
    weight_scales: NDArray[np.uint8]
    bias: NDArray[np.uint16]
    weight_tensor_scale: float = 1.0
    act_amax: float | None = None
    signs: NDArray[np.int8] | None = None
    hadamard_n: int | None = None

    def __post_init__(self) -> None:
        act, weight = block_recipe(self.act_recipe), block_recipe(self.weight_recipe)
        if (act.scale, act.block_size) != (weight.scale, weight.block_size):
            raise ValueError(
                f"weight_recipe={self.weight_recipe!r}: expected scales {act.scale} per {act.block_size} "
                f"as in act_recipe={self.act_recipe!r}"
            )
        n, k = check_matrix("weight_codes", self.weight_codes, np.uint8)
        check_array("weight_scales", self.weight_scales, np.uint8, (n, -(-k // weight.block_size)))
        check_array("bias", self.bias, np.uint16, (n,))
        check_finite_fp16("bias", self.bias)
        for field, codes, fmt in (
            ("weight_codes", self.weight_codes, get(weight.element)),
            ("weight_scales", self.weight_scales, get(weight.scale)),
        ):
            if codes.size and not bool(np.isfinite(decode(codes, fmt)).all()):
                raise ValueError(f"{field}: expected finite {fmt.name} codes")
        if not np.finfo(np.float32).tiny <= self.weight_tensor_scale < 2.0**128 or (
            float(np.float32(self.weight_tensor_scale)) != self.weight_tensor_scale
        ):
            raise ValueError(
                f"weight_tensor_scale={self.weight_tensor_scale!r}: expected a positive normal float32 number"
            )
        if isinstance(act, MxRecipe) != (self.act_amax is None):
            raise ValueError(f"act_amax={self.act_amax!r}: expected None for MX, a number for NVFP4")
        if self.act_amax is not None and not 0 < self.act_amax < 2.0**100:
            raise ValueError(f"act_amax={self.act_amax!r}: expected a positive number below 2^100")
        if self.signs is not None:
            check_array("signs", self.signs, np.int8, (k,))
            if not (np.abs(self.signs) == 1).all():
                raise ValueError("signs: expected +1 and -1")

    @property
    def shape(self) -> tuple[int, int]:
        """(N, K): output and input channels."""
        n, k = self.weight_codes.shape
        return n, k

    @property
    def operand_bits(self) -> OperandBits:
        """Widths of the elements; the block-scaled unit takes a product in one go."""
        act, weight = block_recipe(self.act_recipe), block_recipe(self.weight_recipe)
        return OperandBits(get(act.element).bits, get(weight.element).bits, None)

    def rotation(self, unit: UnitConfig) -> int | None:
        """Block size of the rotation on a machine of this configuration; None where rows are not rotated."""
        return None if self.signs is None else self.hadamard_n or unit.hadamard_n

    def output_scale(self) -> np.float32:
        """c: the product of both tensor scales, rounded to float32."""
        act = activation_scale(block_recipe(self.act_recipe), self.act_amax)
        return np.float32(act * np.float32(self.weight_tensor_scale))

    def check(self, unit: UnitConfig) -> None:
        """Raise ValueError unless a machine of this configuration can run the layer."""
        n, k = self.rotation(unit), self.shape[1]
        if n is not None and (k % n or not fits_quantizer(unit.guard_bits, n)):
            raise ValueError(
                f"{self.name}: hadamard_n={n}: expected a divisor of K={k} with "
                f"(2^(11 + guard_bits) - 1) * n < 2^24, guard_bits={unit.guard_bits}"
            )
        scale = float(self.output_scale())
        if not np.finfo(np.float32).tiny <= scale < 2.0**128:
            raise ValueError(f"{self.name}: output scale {scale}: expected a positive normal float32 number")

    def load(self, unit: UnitConfig) -> Run:
        """The layer as the machine runs it; a row's result depends on the row."""
        act, weight = block_recipe(self.act_recipe), block_recipe(self.weight_recipe)
        columns = block_operand(
            self.weight_codes, self.weight_scales, weight.element, weight.scale, weight.block_size
        )
        by_k = np.ascontiguousarray(columns.values.T)
        scale = self.output_scale()
        amax = None if self.act_amax is None else np.float32(self.act_amax)

        def run(x: NDArray[np.uint16]) -> NDArray[np.uint16]:
            refuse_special(self.name, special_rows(x))
            scales, codes = block_rows(
                x,
                act,
                guard_bits=unit.guard_bits,
                signs=self.signs,
                hadamard_n=self.rotation(unit) or 1,
                amax=amax,
            )
            rows = block_operand(codes, scales, act.element, act.scale, act.block_size)
            return scaled_to_fp16(dot_block(rows, columns, by_k), scale, self.bias)

        return run

    def fake(self, unit: UnitConfig) -> FloatRun:
        """The same recipe in float32: dequantized rows and weights, one float GEMM, no FP16."""
        act, weight = block_recipe(self.act_recipe), block_recipe(self.weight_recipe)
        weights = _dequantized(
            self.weight_codes, self.weight_scales, weight, np.float32(self.weight_tensor_scale)
        )
        bias = self.bias.view(np.float16).astype(np.float32)
        n = self.rotation(unit) or 1
        rotation = None
        if self.signs is not None:
            rotation = rotation_matrix(n, self.signs) * np.sqrt(np.float32(n))  # unnormalized

        def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
            rows = np.ascontiguousarray(x if rotation is None else rotate_float(x, rotation))
            factor = np.float32(1)
            if isinstance(act, MxRecipe):
                scales, codes = mx_blocks(rows, act)
            else:
                assert self.act_amax is not None
                scales, codes, factor = nv_blocks(rows, act, np.float32(self.act_amax))
            y: NDArray[np.float32] = _dequantized(codes, scales, act, factor) @ weights.T + bias
            return y

        return run


def _dequantized(
    codes: NDArray[np.uint8], scales: NDArray[np.uint8], recipe: MxRecipe | NvRecipe, factor: np.float32
) -> NDArray[np.float32]:
    whole = np.repeat(decode(scales, recipe.scale), recipe.block_size, axis=1)[:, : codes.shape[1]]
    return scaled_product(decode(codes, recipe.element), whole, factor)
