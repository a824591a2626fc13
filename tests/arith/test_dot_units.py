"""One block of the dot product units against numpy's float32 addition and hand-made corners."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from fpsim.arith.dot_mx import DotSum, dot_mx
from fpsim.arith.dot_nvfp4 import dot_nvfp4

UNITS: dict[str, tuple[Callable[..., DotSum], int, Any]] = {
    "dot_mx": (dot_mx, 32, ml_dtypes.float8_e8m0fnu),
    "dot_nvfp4": (dot_nvfp4, 16, ml_dtypes.float8_e4m3fn),
}


@pytest.mark.parametrize("name", UNITS)
def test_a_block_is_one_float32_addition_of_numpy(name: str) -> None:
    """The block's term has at most 19 bits, so it is a float32 where it is normal: one addition remains."""
    unit, lanes, scale_type = UNITS[name]
    rng = np.random.default_rng(51)
    compared = 0
    for _ in range(1500):
        codes = rng.integers(0, 16, (2, lanes), dtype=np.uint8)
        scales = rng.integers(40, 215, 2) if name == "dot_mx" else rng.integers(0, 127, 2)
        values = codes.view(ml_dtypes.float4_e2m1fn).astype(np.float64)
        factors = scales.astype(np.uint8).view(scale_type).astype(np.float64)
        term = float(values[0] @ values[1]) * float(factors[0]) * float(factors[1])
        if term and not 2.0**-126 <= abs(term) < 2.0**127:
            continue
        with np.errstate(over="ignore"):
            near = np.float32(term * rng.normal() * 2.0 ** int(rng.integers(-26, 26)))
        near = near if near else np.float32(0)  # the unit's exact sums of 0 are +0 (the corners below)
        if not np.isfinite(near):
            continue
        got = unit(DotSum(int(near.view(np.uint32))), *codes.tolist(), *map(int, scales), first=False)
        with np.errstate(over="ignore"):
            want = near + np.float32(term)
        if np.isfinite(want):
            assert got == DotSum(int(want.view(np.uint32)))
            compared += 1
    assert compared > 1000


def mx(before: int, a: list[int], b: list[int], a_scale: int, b_scale: int, first: bool = False) -> DotSum:
    """One block of dot_mx, padded."""
    return dot_mx(
        DotSum(before), a + [0] * (32 - len(a)), b + [0] * (32 - len(b)), a_scale, b_scale, first=first
    )


def test_corners_of_the_mx_unit() -> None:
    one = [2]  # 1.0
    largest = 0x7F7FFFFF
    assert mx(0x3F800000, one, one, 127, 127, first=True).acc == 0x3F800000  # the sum before is forgotten
    assert mx(0x3F800000, one, one, 127, 103).acc == 0x3F800000  # 1 + 2^-24: a tie to the even 1
    assert mx(0x3F800001, one, one, 127, 103).acc == 0x3F800002  # its neighbour ties up
    assert mx(0x3F800000, [3], one, 127, 103).acc == 0x3F800001  # 1 + 1.5 · 2^-24
    assert mx(largest, one, one, 254, 254).acc == largest  # saturates
    assert mx(0, [15] * 32, [7] * 32, 254, 254).acc == 0x80000000 | largest
    assert mx(0, one, one, 0, 105).acc == 1  # 2^-149
    assert mx(0, one, one, 0, 104).acc == 0  # 2^-150: a tie to 0
    assert mx(0, [3], one, 0, 104).acc == 1  # 1.5 · 2^-150
    assert mx(0, [10], one, 0, 0).acc == 0x80000000  # -2^-254 rounds to -0
    assert mx(0x80000000, [8], one, 127, 127).acc == 0  # an exact sum of 0 is +0
    assert mx(0x3F800000, [10], one, 127, 127).acc == 0
    assert mx(0x3F800000, [8, 1], [7, 0], 0, 0).acc == 0x3F800000
    assert mx(0x3F800000, [10] * 2, [2, 2], 126, 127).acc == 0


@pytest.mark.parametrize("name", UNITS)
def test_a_nan_scale_adds_nothing_and_marks_the_sum_to_its_end(name: str) -> None:
    unit, lanes, _ = UNITS[name]
    nan, one = (255, 127) if name == "dot_mx" else (127, 56)
    codes = [2] * lanes
    total = unit(DotSum(), codes, codes, one, one, first=True)
    assert total == DotSum(int(np.float32(lanes).view(np.uint32)), False)
    for scales in ((nan, one), (one, nan), (nan, nan)):
        marked = unit(total, codes, codes, *scales, first=False)
        assert marked == DotSum(total.acc, True)
        assert unit(marked, codes, codes, one, one, first=False).special
        assert not unit(marked, codes, codes, one, one, first=True).special
    assert unit(DotSum(0x80000000), codes, codes, nan, one, first=False) == DotSum(0, True)


@pytest.mark.parametrize(
    ("codes", "scale", "message"),
    [
        ([0] * 31, 127, "a_codes: 31 codes: expected 32"),
        ([16] * 32, 127, "code=16"),
        ([0] * 32, 256, "code=256"),
    ],
)
def test_other_arguments_are_refused(codes: list[int], scale: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dot_mx(DotSum(), codes, [0] * 32, scale, 127, first=True)


def test_the_largest_sum_of_products_has_the_width_that_the_rtl_gives_it() -> None:
    assert 32 * 12 * 12 < 1 << 13
    assert 16 * 12 * 12 < 1 << 12
    assert 16 * 12 * 12 * 15 * 15 < 1 << 19
    total = dot_nvfp4(DotSum(), [7] * 16, [7] * 16, 126, 126, first=True)
    assert Fraction(float(np.uint32(total.acc).view(np.float32))) == 16 * 36 * 448 * 448
