"""The laws and the kernels of the units beside the array, bit for bit, on any operands."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsim.arith import dot_block as law_block
from fpsim.arith import viditq_released as law_released
from fpsim.arith.block_row import block_row
from fpsim.arith.dot_group import Side, dot_group
from fpsim.arith.dot_product import dot_product
from fpsim.arith.epilogue_float import scaled_to_fp16, sum_to_fp16
from fpsim.arith.group_row import group_row
from fpsim.formats import Accumulator
from fpsim.formats.tensor_recipes import MxRecipe, NvRecipe, get_tensor_recipe
from fpsim.kernels import dot_group as kernel_group
from fpsim.kernels import epilogue_float, viditq_released
from fpsim.kernels.block_rows import block_rows
from fpsim.kernels.dot_block import block_operand, dot_block
from fpsim.kernels.group_rows import group_rows

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
finite_fp16 = st.builds(lambda sign, code: sign << 15 | code, st.integers(0, 1), st.integers(0, 0x7BFF))
finite_fp32 = st.builds(lambda sign, code: sign << 31 | code, st.integers(0, 1), st.integers(0, 0x7F7FFFFF))
fp16_rows = st.lists(finite_fp16, min_size=1, max_size=70)


@QUICK
@given(data=st.data(), scale=st.sampled_from([("e8m0", 0xFE, 32), ("ue4m3", 0x7E, 16), ("e8m0", 0xFE, 3)]))
def test_block_scaled_dot_products(data: st.DataObject, scale: tuple[str, int, int]) -> None:
    name, top, block = scale
    k = data.draw(st.integers(1, 40))
    near = data.draw(st.integers(0, top))
    scales = (
        st.integers(max(near - 3, 0), min(near + 3, top)) if data.draw(st.booleans()) else st.integers(0, top)
    )
    blocks = -(-k // block)
    a, b = (data.draw(st.lists(st.integers(0, 15), min_size=k, max_size=k)) for _ in range(2))
    sa, sb = (data.draw(st.lists(scales, min_size=blocks, max_size=blocks)) for _ in range(2))
    law = law_block.dot_block(a, b, sa, sb, a_fmt="e2m1", b_fmt="e2m1", scale_fmt=name, block=block)
    sides = [
        block_operand(np.array([codes], np.uint8), np.array([own], np.uint8), "e2m1", name, block)
        for codes, own in ((a, sa), (b, sb))
    ]
    assert int(dot_block(*sides).view(np.uint32)[0, 0]) == law
    acc = Accumulator.exact_plus_c("fp32", step=block, scale=name, block=block)
    assert dot_product(a, b, "e2m1", "e2m1", acc, a_scales=sa, b_scales=sb) == law


@QUICK
@given(
    acc=finite_fp32,
    scale=st.integers(0x00800000, 0x7F7FFFFF) | st.integers(0x30000000, 0x48000000),
    bias=finite_fp16,
)
def test_epilogues(acc: int, scale: int, bias: int) -> None:
    sums = np.array([[acc]], np.uint32).view(np.float32)
    factor = np.uint32(scale).view(np.float32)
    biases = np.array([bias], np.uint16)
    assert epilogue_float.scaled_to_fp16(sums, factor, biases)[0, 0] == scaled_to_fp16(acc, scale, bias)
    if acc & 0x7FFFFFFF == 0 or abs(float(sums[0, 0])) >= 2.0**-100:
        assert epilogue_float.sum_to_fp16(sums, biases)[0, 0] == sum_to_fp16(acc, bias)


@pytest.mark.parametrize(
    "name", ["mxfp4-floor", "mxfp4-rceil", "mxfp8-e4m3-floor", "nvfp4", "nvfp4-modelopt"]
)
@settings(QUICK, max_examples=40)
@given(
    data=st.data(), rotated=st.booleans(), guard=st.integers(0, 8), amax=st.sampled_from([1e-6, 1.7, 65504.0])
)
def test_rows_in_blocks(data: st.DataObject, name: str, rotated: bool, guard: int, amax: float) -> None:
    recipe = get_tensor_recipe(name)
    assert isinstance(recipe, MxRecipe | NvRecipe)
    row = data.draw(fp16_rows)
    signs = None
    if rotated:
        row = (row * 8)[:8] * data.draw(st.integers(1, 6))
        signs = data.draw(st.lists(st.sampled_from([-1, 1]), min_size=len(row), max_size=len(row)))
    static = None if isinstance(recipe, MxRecipe) else np.float32(amax)
    scales, codes = block_rows(
        np.array([row], np.uint16),
        recipe,
        guard_bits=guard,
        signs=None if signs is None else np.array(signs, np.int8),
        hadamard_n=8,
        amax=static,
    )
    exact = None if static is None else Fraction(float(static))
    law = block_row(row, recipe, guard_bits=guard, signs=signs, hadamard_n=8, amax=exact)
    assert (scales[0].tolist(), codes[0].tolist()) == law


@QUICK
@given(row=fp16_rows, bits=st.integers(2, 8), group=st.integers(1, 40))
def test_rows_in_groups(row: list[int], bits: int, group: int) -> None:
    got = group_rows(np.array([row], np.uint16), bits, group)
    law = group_row(row, bits, group)
    assert got.codes[0].tolist() == [code for part in law for code in part.codes]
    assert got.zeros[0].tolist() == [part.zero for part in law]
    assert got.scales.astype(np.float16).view(np.uint16)[0].tolist() == [part.scale for part in law]
    zeros = np.repeat(got.zeros[0].astype(int), group)[: len(row)]
    assert (got.levels[0] == got.codes[0].astype(int) - zeros).all()


@QUICK
@given(data=st.data(), group=st.integers(1, 9))
def test_dot_products_in_groups(data: st.DataObject, group: int) -> None:
    k = data.draw(st.integers(1, 30))
    sides: list[list[Side]] = [[], []]
    for start in range(0, k, group):
        size = min(group, k - start)
        for side in sides:
            codes = data.draw(st.lists(st.integers(0, 255), min_size=size, max_size=size))
            side.append(Side(codes, data.draw(st.integers(0, 255)), data.draw(st.integers(1, 0x7BFF))))
    levels = [
        np.array([[code - part.zero for part in side for code in part.codes]], np.float32) for side in sides
    ]
    scales = [
        np.array([[part.scale for part in side]], np.uint16).view(np.float16).astype(np.float32)
        for side in sides
    ]
    got = kernel_group.dot_group(
        levels[0], scales[0], np.ascontiguousarray(levels[1].T), np.ascontiguousarray(scales[1].T), group
    )
    assert int(got.view(np.uint32)[0, 0]) == dot_group(*sides)


@QUICK
@given(
    row=fp16_rows,
    data=st.data(),
    weight_scale=st.integers(1, 0x7BFF),
    weight_zero=st.integers(-(1 << 15), (1 << 15) - 1) | st.integers(-300, 300),
    bias=finite_fp16,
)
def test_released_layers(
    row: list[int], data: st.DataObject, weight_scale: int, weight_zero: int, bias: int
) -> None:
    rows = viditq_released.quantize_rows(np.array([row], np.uint16))
    law = law_released.quantize_row(row)
    assert rows.codes[0].tolist() == law.codes
    assert rows.scales.astype(np.float16).view(np.uint16).tolist() == [law.scale]
    with np.errstate(over="ignore"):
        assert rows.totals.astype(np.float16).view(np.uint16).tolist() == [law.total]
    if np.isfinite(rows.totals).all():
        weights = data.draw(st.lists(st.integers(-128, 127), min_size=len(row), max_size=len(row)))
        got = viditq_released.released_layer(
            rows,
            np.array([weights], np.float32),
            np.array([weight_scale], np.uint16),
            np.array([weight_zero], np.int16),
            np.array([bias], np.uint16),
        )
        assert got[0, 0] == law_released.released_dot(law, weights, weight_scale, weight_zero, bias)
