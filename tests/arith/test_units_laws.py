"""The laws of the units beside the array against torch and numpy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fpsim.arith.block_row import block_row
from fpsim.arith.dot_block import dot_block
from fpsim.arith.dot_group import Side, dot_group
from fpsim.arith.epilogue_float import scaled_to_fp16, sum_to_fp16
from fpsim.arith.group_row import group_row
from fpsim.arith.viditq_released import quantize_row, released_dot
from fpsim.formats.tensor_recipes import TENSOR_RECIPES, MxRecipe

ONE, ONE_FP32 = 0x3C00, 0x3F800000


def test_a_block_by_hand() -> None:
    # (6 · 4 − 0.5 · 1) · 2^1 · 2^-3 = 5.875; the second block adds 1.5 · 1.5 · 2^0 = 2.25: 8.125.
    bits = dot_block(
        [7, 9, 3], [6, 2, 3], [128, 127], [124, 127], a_fmt="e2m1", b_fmt="e2m1", scale_fmt="e8m0", block=2
    )
    assert np.uint32(bits).view(np.float32) == 8.125


def test_each_block_rounds_once() -> None:
    # 2^24 + 1 is a tie of FP32 and goes to 2^24, twice; added at once the two ones would count.
    codes, scales = [2, 2, 2], [127 + 24, 127, 127]
    args = {"a_fmt": "e2m1", "b_fmt": "e2m1", "scale_fmt": "e8m0"}
    bits = dot_block(codes, codes, scales, [127] * 3, block=1, **args)  # type: ignore[arg-type]
    assert np.uint32(bits).view(np.float32) == 2.0**24


@pytest.mark.parametrize(
    ("codes", "scales", "message"),
    [([1, 1], [0xFF], "code 0xff of e8m0 is nan"), ([1], [1, 1], "expected K, K and twice")],
)
def test_illegal_blocks_are_refused(codes: list[int], scales: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dot_block(codes, codes, scales, scales, a_fmt="e2m1", b_fmt="e2m1", scale_fmt="e8m0", block=2)


def test_epilogues_by_hand() -> None:
    third = int(np.float32(1 / 3).view(np.uint32))
    assert np.uint16(scaled_to_fp16(third, int(np.float32(3).view(np.uint32)), ONE)).view(np.float16) == 2
    assert sum_to_fp16(int(np.float32(1e9).view(np.uint32)), ONE) == 0x7BFF
    for scale in (0, 0x007FFFFF, 0x7F800000, 0xBF800000):
        with pytest.raises(ValueError, match="scale"):
            scaled_to_fp16(third, scale, ONE)
    with pytest.raises(ValueError, match="bias=0x7c00: expected a finite number"):
        sum_to_fp16(ONE_FP32, 0x7C00)


def test_rows_refuse_what_is_not_a_number() -> None:
    recipe = TENSOR_RECIPES["mxfp4-floor"]
    assert isinstance(recipe, MxRecipe)
    for signs in (None, [1, 1]):
        with pytest.raises(ValueError, match=r"expected (a )?finite number"):
            block_row([ONE, 0x7C00], recipe, guard_bits=4, signs=signs, hadamard_n=2)
    with pytest.raises(ValueError, match=r"\* n < 2\^24"):
        block_row([ONE] * 1024, recipe, guard_bits=4, signs=[1] * 1024, hadamard_n=1024)
    with pytest.raises(ValueError, match=r"row\[1\]=0x7e00: expected a finite number"):
        group_row([ONE, 0x7E00], 8, 2)
    with pytest.raises(ValueError, match=r"row\[0\]=0xfc00: expected a finite number"):
        quantize_row([0xFC00])


@pytest.mark.parametrize("bits", [4, 8])
def test_group_codes_are_torchs_affine_quantization_under_the_same_scale(bits: int) -> None:
    """torch multiplies by the reciprocal and adds the zero point before rounding, so ties are left out."""
    rng = np.random.default_rng(bits)
    x = (rng.standard_normal((50, 32)) * 10.0 ** rng.integers(-3, 3, (50, 1))).astype(np.float16)
    compared = 0
    for row in x:
        (part,) = group_row(row.view(np.uint16).tolist(), bits, 32)
        scale = float(np.uint16(part.scale).view(np.float16))
        values = torch.tensor(row.astype(np.float32))
        fake = torch.fake_quantize_per_tensor_affine(values, scale, part.zero, 0, (1 << bits) - 1)
        own = (np.array(part.codes) - part.zero) * scale
        fraction = np.abs(row.astype(np.float64)) / scale % 1
        clear = np.abs(fraction - 0.5) > 1e-4
        compared += int(clear.sum())
        assert np.allclose(fake.numpy()[clear], own[clear], rtol=1e-6)
    assert compared > 1500


def test_a_group_of_zeros_and_one_far_from_zero() -> None:
    (zeros,) = group_row([0, 0x8000, 0], 8, 3)
    assert (zeros.codes, zeros.zero) == ([0, 0, 0], 0)
    assert zeros.scale == 1  # 1e-5 / 255 is 0.66 of the smallest FP16 number
    (high,) = group_row(np.array([5, 5.1], np.float16).view(np.uint16).tolist(), 4, 2)
    assert (high.zero, high.codes[1]) == (0, 15)  # 0 is kept in the range


def test_groups_by_hand() -> None:
    # Σ (3−1)(7−2) + (0−1)(1−2) = 11, times 1 and 2 = 22; then (2−0)(3−3) = 0.
    two = 0x4000
    a, b = [Side([3, 0], 1, ONE), Side([2], 0, ONE)], [Side([7, 1], 2, two), Side([3], 3, two)]
    assert np.uint32(dot_group(a, b)).view(np.float32) == 22
    with pytest.raises(ValueError, match=r"a\[0\]\.scale=0: expected an integer from 1"):
        dot_group([Side([1], 0, 0)], [Side([1], 0, ONE)])


def test_released_rows_are_torchs_float32_operations() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        x = torch.tensor(rng.standard_normal(64) * 10.0 ** rng.integers(-4, 3)).half()
        row = quantize_row(x.numpy().view(np.uint16).tolist())
        wide = x.float()
        inverse = 127.0 / wide.abs().max()
        codes = torch.round(wide * inverse).clamp(-128, 127)
        assert row.codes == codes.int().tolist()
        assert row.scale == int((wide.abs().max() / 127.0).half().numpy().view(np.uint16))
        assert row.total == int((codes.sum() / inverse).half().numpy().view(np.uint16))


def test_released_outputs_are_torchs_float32_operations() -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        x = torch.tensor(rng.standard_normal(40)).half()
        row = quantize_row(x.numpy().view(np.uint16).tolist())
        weights = rng.integers(-128, 128, 40)
        scale, bias = (torch.tensor(v).half() for v in (rng.uniform(1e-4, 1e-1), rng.standard_normal()))
        zero = int(rng.integers(-5000, 5000))
        sa, total = (
            torch.tensor(np.uint16(bits).view(np.float16)).float() for bits in (row.scale, row.total)
        )
        psum = torch.tensor(float(np.dot(row.codes, weights))).float() * sa * scale.float()
        psum = psum + total * float(zero) * scale.float() + bias.float()
        bits = [int(v.numpy().view(np.uint16)) for v in (scale, bias)]
        assert released_dot(row, weights.tolist(), bits[0], zero, bits[1]) == int(
            psum.half().numpy().view(np.uint16)
        )


def test_released_results_beyond_fp16_are_infinite() -> None:
    row = quantize_row([0x7BFF])
    assert released_dot(row, [127], ONE, 0, 0) == 0x7C00
    assert released_dot(row, [-127], ONE, 0, 0) == 0xFC00
