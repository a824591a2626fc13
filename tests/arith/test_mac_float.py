"""The floating multiply-accumulate step against numpy, ml_dtypes and a table of all values."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from fpsim.arith.decode import Operand, decode
from fpsim.arith.mac_float import mac_float
from fpsim.formats import Accumulator, Format, get

# Sign, significand and shift of everything that a 4-bit format decodes to.
OPERANDS = sorted({decode(code, fmt) for fmt in ("e2m1", "e3m0", "e1m2", "int4") for code in range(16)})
E3M2 = Format("e3m2", 3, 2, 3, specials="ieee")
# A peer's own addition. Every product has at most 6 significant bits, so it is a number of all of these, and
# numpy and ml_dtypes add two of theirs with one rounding, to nearest, ties to even.
PEERS = {"fp32": np.float32, "fp16": np.float16, "bf16": ml_dtypes.bfloat16}


def exact(a: Operand, b: Operand, unit_exp: int) -> Fraction:
    """The product as a number."""
    return a.value * b.value * Fraction(2) ** unit_exp


@pytest.mark.parametrize("name", PEERS)
def test_sums_are_those_of_numpy_and_ml_dtypes(name: str) -> None:
    rng = np.random.default_rng(41)
    fmt, dtype = get(name), PEERS[name]
    word = np.dtype(f"uint{fmt.bits}")
    accumulator = Accumulator.sequential(fmt)
    low = max(int(np.log2(float(fmt.step))), -128)
    high = min(fmt.max_value.numerator.bit_length() - 14, 127)
    codes = rng.integers(0, fmt.n_codes, 6000, dtype=np.uint64)
    codes[::3] = rng.integers(0, 4 << fmt.man_bits, len(codes[::3]))  # subnormal and small
    codes[1::10] = fmt.max_magnitude_code
    compared = infinite = 0
    for code in codes.tolist():
        if (code & fmt.magnitude_mask) > fmt.max_magnitude_code + 1:
            continue  # NaN
        field = (code & fmt.magnitude_mask) >> fmt.man_bits
        near = field - fmt.bias - fmt.man_bits + int(rng.integers(-8, fmt.man_bits + 4))
        unit_exp = min(max(near, low), high)
        a, b = (OPERANDS[i] for i in rng.integers(0, len(OPERANDS), 2))
        got = mac_float(code, a, b, unit_exp, first=False, accumulator=accumulator)
        with np.errstate(all="ignore"):
            term = dtype(float(exact(a, b, unit_exp)))
            term = -term if term == 0 and a.neg != b.neg else term
            want = (np.array(code, word).view(dtype) + term).view(word)
        assert got == int(want), (hex(code), a, b, unit_exp)
        compared += 1
        infinite += got & fmt.magnitude_mask > fmt.max_magnitude_code
    assert compared > 5000
    assert infinite > 0


def table(fmt: Format) -> list[Fraction]:
    """Every finite value from 0 up; its index is its magnitude code."""
    values = [fmt.value(code) for code in range(fmt.max_magnitude_code + 1)]
    assert all(isinstance(value, Fraction) for value in values)
    return values  # type: ignore[return-value]


def by_table(total: Fraction, values: list[Fraction], rounding: str, overflow: str) -> int | None:
    """The magnitude code that a rule of words picks out of all values; None: an infinity."""
    size, up_is_larger = abs(total), total > 0
    beyond = 2 * values[-1] - values[-2]  # the number that would come next
    ladder = [*values, beyond]
    largest = len(values) - 1
    above = bisect_left(ladder, size)
    if above == len(ladder) or (above == largest + 1 and size > values[-1]):
        if above == len(ladder):
            away = True
        else:
            away = _goes_away(size, ladder, above, rounding, up_is_larger)
            if not away:
                return largest
        inward = rounding == "rtz" or rounding == ("rdn" if up_is_larger else "rup")
        if overflow == "saturate" or (overflow == "ieee" and inward):
            return largest
        return None
    if ladder[above] == size:
        return above
    return above if _goes_away(size, ladder, above, rounding, up_is_larger) else above - 1


def _goes_away(size: Fraction, ladder: list[Fraction], above: int, rounding: str, positive: bool) -> bool:
    if rounding == "rtz":
        return False
    if rounding in ("rup", "rdn"):
        return positive == (rounding == "rup")
    low, high = size - ladder[above - 1], ladder[above] - size
    if low != high:
        return high < low
    return rounding == "rna" or above % 2 == 0


@pytest.mark.parametrize("overflow", ["ieee", "inf", "saturate"])
@pytest.mark.parametrize("rounding", ["rne", "rna", "rtz", "rup", "rdn"])
def test_every_sum_of_a_small_accumulator_is_picked_from_the_table(rounding: Any, overflow: Any) -> None:
    accumulator = Accumulator.sequential(E3M2, rounding, overflow=overflow)
    values = table(E3M2)
    negative = E3M2.n_codes // 2
    compared = 0
    terms = {exact(a, b, unit): (a, b, unit) for a in OPERANDS for b in OPERANDS for unit in (-9, -6, -4)}
    picked = sorted(terms)[:: 7 if overflow == "ieee" else 31]
    for magnitude, sign in product(range(len(values)), (0, 1)):
        before = -values[magnitude] if sign else values[magnitude]
        for term in picked:
            got = mac_float(magnitude | sign * negative, *terms[term], first=False, accumulator=accumulator)
            total = before + term
            if total == 0:
                continue  # zeros: the test below
            code = by_table(total, values, rounding, overflow)
            want = len(values) if code is None else code
            assert got == want | (negative if total < 0 else 0), (before, term)
            compared += 1
    assert compared > 300


def test_zeros_follow_ieee_754_section_6_3() -> None:
    one, minus_one = Operand(False, 1, 0), Operand(True, 1, 0)
    plus, minus = Operand(False, 0, 0), Operand(True, 0, 0)
    for rounding, exact_zero in (("rne", 0), ("rtz", 0), ("rup", 0), ("rdn", 0x20)):
        accumulator = Accumulator.sequential(E3M2, rounding)  # type: ignore[arg-type]

        def step(acc: int, a: Operand, b: Operand, unit: int = 0, first: bool = False) -> int:
            return mac_float(acc, a, b, unit, first=first, accumulator=accumulator)  # noqa: B023

        assert step(0x20, minus, one) == 0x20  # -0 + -0
        assert step(0x20, minus, minus_one) == exact_zero  # -0 + +0
        assert step(0, minus, one) == exact_zero
        assert step(0, plus, one) == 0
        assert step(0x0C, minus_one, one) == exact_zero  # 1 - 1
        assert step(0x1F, plus, one, first=True) == 0
        # What rounds to 0 keeps its sign; toward its own infinity it is the smallest number.
        assert step(0, minus_one, one, -20, first=True) == (0x21 if rounding == "rdn" else 0x20)


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_random_bits_go_up_as_often_as_the_distance_says(bits: int) -> None:
    accumulator = Accumulator.sequential(E3M2, "stochastic", overflow="saturate")
    values = table(E3M2)
    one = Operand(False, 1, 0)
    for code in range(len(values) - 4):
        for low, high in list(pairwise(values))[code : code + 1]:
            term = (high - low) / 8 * 3  # three eighths of the way
            unit = (term / 3).numerator.bit_length() - (term / 3).denominator.bit_length()
            three = Operand(False, 3, 0)
            assert exact(three, one, unit) == term
            ups = sum(
                mac_float(
                    code, three, one, unit, first=False, accumulator=accumulator, random_bits=(value, bits)
                ) == code + 1
                for value in range(1 << bits)
            )  # fmt: skip
            assert ups == (3 << bits) // 8


def test_an_infinity_stays_until_the_first_beat() -> None:
    accumulator = Accumulator.sequential(E3M2)
    one = Operand(False, 1, 0)
    infinity = mac_float(0x1B, one, one, 10, first=False, accumulator=accumulator)
    assert infinity == 0x1C
    assert (
        mac_float(infinity, Operand(True, 8, 0), one, 127, first=False, accumulator=accumulator) == infinity
    )
    assert mac_float(infinity, one, one, 0, first=True, accumulator=accumulator) == 0x0C


@pytest.mark.parametrize(
    ("unit_exp", "accumulator", "message"),
    [
        (128, Accumulator.sequential("fp32"), "unit_exp=128: expected an integer from -128 to 127"),
        (-129, Accumulator.sequential("fp32"), "unit_exp=-129"),
        (0, Accumulator.exact(26), "expected a sequential, fused one"),
        (0, Accumulator.sequential("fp32", fused=False), "expected a sequential, fused one"),
    ],
)
def test_other_arguments_are_refused(unit_exp: int, accumulator: Accumulator, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mac_float(0, OPERANDS[0], OPERANDS[0], unit_exp, first=True, accumulator=accumulator)
