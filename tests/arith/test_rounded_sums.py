"""Accumulators that round: numpy's own additions and hand-worked sums as the outside truth."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsim.arith.dot_product import dot_product
from fpsim.arith.number import add_two, from_code, round_to
from fpsim.formats import PRESETS, Accumulator, get

ONE, MINUS_ONE, ZERO, MINUS_ZERO = 2, 10, 0, 8  # E2M1 codes
SIX, MINUS_SIX = 7, 15
ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn")


def floats(bits: int) -> float:
    return float(np.uint32(bits).view(np.float32))


def e2m1(a: list[int], b: list[int], acc: Accumulator, **options: Any) -> float:
    return floats(dot_product(a, b, "e2m1", "e2m1", acc, **options))


@pytest.mark.parametrize("name", ["fp16", "fp32"])
def test_sequential_sums_are_numpys_own_additions(name: str) -> None:
    dtype = np.dtype({"fp16": "float16", "fp32": "float32"}[name]).type
    rng = np.random.default_rng(200)
    bits = 16 if name == "fp16" else 32
    cases = 0
    for _ in range(60):
        codes = rng.integers(0, 1 << 16, 24)  # FP16 numbers of every size, times 1.0
        values = codes.astype(np.uint16).view(np.float16)
        start = rng.integers(0, 1 << bits, dtype=np.uint64)
        c = start.astype(f"uint{bits}").view(dtype)
        finite = np.isfinite(values) & (np.abs(values) < 3e4)
        total = c
        with np.errstate(all="ignore"):
            for value in values[finite]:
                total = dtype(total + dtype(value))
        ones = [0x3C00] * int(finite.sum())
        got = dot_product(
            codes[finite].tolist(), ones, "fp16", "fp16", Accumulator.sequential(name),
            c_bits=int(np.float32(c).view(np.uint32)),
        )  # fmt: skip
        if np.isnan(total):
            assert got == 0x7FC00000
        else:
            assert got == int(np.float32(total).view(np.uint32)), f"start {start:#x}"
        cases += 1
    assert cases == 60


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    fmt=st.sampled_from(["fp32", "fp16", "bf16", "e5m2", "e4m3", "e3m2"]),
    x=st.integers(0, (1 << 32) - 1),
    y=st.integers(0, (1 << 16) - 1),
    rounding=st.sampled_from(ROUNDINGS),
)
def test_every_rounding_takes_a_neighbour_on_the_right_side(fmt: str, x: int, y: int, rounding: Any) -> None:
    form = get(fmt)
    left = from_code(x % form.n_codes, form)
    right = from_code(y, get("fp16"))
    if left.special or right.special:
        return
    exact = left.value + right.value
    got = round_to(add_two(left, right, rounding), form, rounding, "saturate")
    # The neighbours of an exact value, from all of the format's values (small formats) or from their spacing.
    low, high = neighbours(abs(exact), form)
    sign = -1 if exact < 0 else 1
    expected = {"rtz": low, "rup": high if sign > 0 else low, "rdn": high if sign < 0 else low}
    if exact == low * sign:
        nearest = low
    elif abs(exact) * 2 == low + high:
        spacing = high - low
        nearest = high if rounding == "rna" or (low / spacing) % 2 == 1 else low
    else:
        nearest = low if abs(exact) * 2 < low + high else high
    expected |= {"rne": nearest, "rna": nearest}
    want = min(expected[rounding] if exact != low * sign else low, form.max_value)
    assert got.value == sign * want


def neighbours(magnitude: Fraction, form: Any) -> tuple[Fraction, Fraction]:
    """The multiples of the format's spacing around a magnitude, as if the exponent had no upper end."""
    exponent = 1 - form.bias
    while Fraction(2) ** (exponent + 1) <= magnitude:
        exponent += 1
    spacing = Fraction(2) ** (exponent - form.man_bits)
    low = magnitude // spacing * spacing
    return low, low + spacing


def test_the_order_of_rounding_separates_the_kinds() -> None:
    # FP16: 2048 + 1 is a tie to 2048 (even); 2048 + 2 is a number. Products 1 and 1 on C = 2048.
    c = int(np.float32(2048).view(np.uint32))
    ones = [ONE, ONE]
    assert e2m1(ones, ones, Accumulator.sequential("fp16"), c_bits=c) == 2048
    assert e2m1(ones, ones, Accumulator.sequential("fp16", "rup"), c_bits=c) == 2052
    assert e2m1(ones, ones, Accumulator.tree("fp16", 2), c_bits=c) == 2050
    assert e2m1(ones, ones, Accumulator.exact_plus_c("fp16"), c_bits=c) == 2050
    assert e2m1(ones, ones, Accumulator.exact_plus_c("fp16", step=1), c_bits=c) == 2048


def test_separate_product_rounding_differs_from_fused() -> None:
    # E5M2 holds 1.5 · 1.5 = 2.25 only as 2 (a tie, to even); the exact 2.25 on 0.25 is 2.5.
    c = int(np.float32(0.25).view(np.uint32))
    assert e2m1([3], [3], Accumulator.sequential("e5m2"), c_bits=c) == 2.5
    assert e2m1([3], [3], Accumulator.sequential("e5m2", fused=False), c_bits=c) == 2.0


def test_overflow_rules() -> None:
    many = [SIX] * 4000
    for overflow, want in (("ieee", np.inf), ("inf", np.inf), ("saturate", 57344)):
        acc = Accumulator.sequential("e5m2", "rup", overflow=overflow)  # type: ignore[arg-type]
        assert e2m1(many, many, acc) == want
    toward_zero = {
        overflow: e2m1([SIX], [SIX], Accumulator.sequential("e5m2", "rtz", overflow=overflow), c_bits=c)  # type: ignore[arg-type]
        for overflow, c in itertools.product(("ieee", "inf"), [int(np.float32(65536).view(np.uint32))])
    }
    assert toward_zero == {"ieee": 57344, "inf": np.inf}
    largest = 0x7F7FFFFF
    huge = [0xFE]
    for acc, want in ((PRESETS["mxdotp-exact"], 0x7F7FFFFF), (PRESETS["mxdotp-anchored"], 0x7F800000)):
        options = {"a_scales": huge, "b_scales": huge, "c_bits": largest}
        assert dot_product([SIX], [SIX], "e2m1", "e2m1", acc, **options) == want


def test_zeros_keep_ieee_signs_in_a_sum_and_none_on_a_tensor_core() -> None:
    acc = Accumulator.sequential("fp32")
    minus = 0x80000000
    assert dot_product([MINUS_ZERO], [ONE], "e2m1", "e2m1", acc, c_bits=minus) == minus
    assert dot_product([MINUS_ZERO], [ONE], "e2m1", "e2m1", acc) == 0
    down = Accumulator.sequential("fp32", "rdn")
    assert dot_product([ONE, MINUS_ONE], [ONE, ONE], "e2m1", "e2m1", down) == minus
    core = PRESETS["blackwell-f8f6f4"]
    assert dot_product([MINUS_ZERO], [ONE], "e2m1", "e2m1", core, c_bits=minus) == 0
    assert dot_product([MINUS_ZERO], [ONE], "e2m1", "e2m1", PRESETS["mxdotp-exact"], a_scales=[127],
                       b_scales=[127], c_bits=minus) == 0  # fmt: skip


def test_nan_and_infinity() -> None:
    inf, nan = 0x7F800000, 0x7FC00000
    for acc in (Accumulator.sequential("bf16"), Accumulator.tree("fp16", 4), Accumulator.exact_plus_c()):
        assert dot_product([ONE], [ONE], "e2m1", "e2m1", acc, c_bits=inf) == inf
        assert dot_product([0x7C], [0xFC], "e5m2", "e5m2", acc) == inf | 1 << 31
        assert dot_product([0x7C], [0], "e5m2", "e5m2", acc) == nan
        assert dot_product([0x7C, 0xFC], [0x3C, 0x3C], "e5m2", "e5m2", acc) == nan
    core = PRESETS["hopper-f8"]
    assert dot_product([0x7C], [0], "e5m2", "e5m2", core) == 0x7FFFFFFF
    with pytest.raises(ValueError, match="holds no inf"):
        dot_product([0x7C], [0x3C], "e5m2", "e5m2", Accumulator.sequential("e4m3"))


def test_a_nan_scale_spoils_its_block_only_by_being_there() -> None:
    acc = PRESETS["rtx-blackwell-mxfp4"]
    zeros = [ZERO] * 64
    clean, spoiled = [127, 127], [127, 0xFF]
    assert dot_product(zeros, zeros, "e2m1", "e2m1", acc, a_scales=clean, b_scales=clean) == 0
    assert dot_product(zeros, zeros, "e2m1", "e2m1", acc, a_scales=spoiled, b_scales=clean) == 0x7FFFFFFF


def test_alignment_drops_what_lies_below_the_window() -> None:
    # Ada FP8 keeps 13 bits below the largest exponent: 2^-13 of 1 stays, 2^-14 goes. E4M3: 0x38 is 1, codes
    # 0x01 to 0x08 are 2^-9 to 2^-6.
    acc = PRESETS["ada-f8"]
    one = int(np.float32(1).view(np.uint32))
    assert floats(dot_product([0x08], [0x01 << 1 | 0], "e4m3", "e4m3", acc, c_bits=one)) == 1.0  # 2^-14
    assert floats(dot_product([0x08], [0x04], "e4m3", "e4m3", acc, c_bits=one)) == 1 + 2.0**-13


def test_a_window_with_c_outside_is_anchored() -> None:
    # One fractional bit: every product is cut to a multiple of 0.5 before the sum.
    acc = Accumulator.aligned(fraction_bits=1, integer_bits=8, step=8, c_inside=False, overflow="ieee")
    assert e2m1([1] * 8, [1] * 8, acc) == 0.0
    assert e2m1([3] * 2, [3] * 2, acc) == 4.0  # 2.25 is cut to 2
    c = int(np.float32(2.0**-30).view(np.uint32))
    assert e2m1([3] * 2, [1] * 2, acc, c_bits=c) == 1.0  # 0.75 is cut to 0.5; 1 + 2^-30 to 1
