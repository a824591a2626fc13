"""An FP16 row to blocks of codes under 8-bit scales, rotated on the way or not (rtl/README.md)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from fpsim.arith.align import FP16_UNIT_EXPONENT, align
from fpsim.arith.checks import check_int
from fpsim.arith.hadamard import hadamard
from fpsim.arith.mx_block import mx_block
from fpsim.arith.nv_block import nv_block, tensor_scale
from fpsim.formats import get
from fpsim.formats.tensor_recipes import MxRecipe, NvRecipe

FP16 = get("fp16")
FLOAT32_BITS = 24


def block_row(
    row: Sequence[int],
    recipe: MxRecipe | NvRecipe,
    *,
    guard_bits: int,
    signs: Sequence[int] | None = None,
    hadamard_n: int = 1,
    amax: Fraction | None = None,
) -> tuple[list[int], list[int]]:
    """Quantize one row.

    Args:
        row: FP16 bits, finite, at least one.
        recipe: any MX or NVFP4 recipe.
        guard_bits: of `align`, 0 to 8; read where the row is rotated.
        signs: +1 or −1 per element before the rotation; None: no rotation, and no alignment.
        hadamard_n: block size of the rotation, a divisor of the row's length, with
            (2^(11 + guard_bits) − 1) · n < 2^24, so that what enters the quantizer is an FP32 number.
        amax: NVFP4: the largest magnitude that the tensor scale is made for. MX: None.

    Returns:
        Scale codes, one per block, and element codes.

    Raises:
        ValueError: an Inf or a NaN in the row, or an argument outside of the above.
    """
    values = _values(row) if signs is None else _rotated(row, guard_bits, signs, hadamard_n)
    starts = range(0, len(values), recipe.block_size)
    blocks = [values[start : start + recipe.block_size] for start in starts]
    if isinstance(recipe, MxRecipe):
        results = [mx_block(block, recipe) for block in blocks]
    else:
        if amax is None:
            raise ValueError(f"amax=None: expected the largest magnitude of the tensor for {recipe.name}")
        tensor = tensor_scale(amax, recipe)
        results = [nv_block(block, tensor, recipe) for block in blocks]
    return [scale for scale, _ in results], [code for _, codes in results for code in codes]


def _values(row: Sequence[int]) -> list[tuple[Fraction, bool]]:
    values = []
    for i, bits in enumerate(row):
        check_int(f"row[{i}]", bits, 0, FP16.n_codes - 1)
        value = FP16.value(bits)
        if isinstance(value, str):
            raise ValueError(f"row[{i}]=0x{bits:04x}: expected a finite number")
        values.append((value, bits == FP16.n_codes // 2))
    return values


def _rotated(
    row: Sequence[int], guard_bits: int, signs: Sequence[int], n: int
) -> list[tuple[Fraction, bool]]:
    if ((1 << (FP16.man_bits + 1 + guard_bits)) - 1) * n >= 1 << FLOAT32_BITS:
        raise ValueError(f"hadamard_n={n}: expected (2^(11 + guard_bits) - 1) * n < 2^24")
    aligned = align(row, guard_bits)
    if aligned.special:
        raise ValueError("row: expected finite numbers")
    unit = Fraction(2) ** (aligned.exp - FP16_UNIT_EXPONENT - guard_bits)
    return [
        (h * unit, False)
        for start in range(0, len(row), n)
        for h in hadamard(aligned.ints[start : start + n], signs[start : start + n])
    ]
