"""Formats with a real bias against comparator tables and the FPQ formula, in exact fractions and in torch."""

from __future__ import annotations

import math
from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.kernels.cast import decode, encode
from tests.kernels.reference import LEVELS, floor_log2, round_brute

GRIDS = {"e3m0": (3, 0), "e2m1": (2, 1), "e1m2": (1, 2)}
BIASES = (-7.3, -0.5, 0.25, 1.0, 1.7320508, 2.7182818, 3.999999, 4.0, 9.5, 31.41592653589793)


def biased(name: str) -> list[Format]:
    """The format under fixed real biases, its own included, and under thirty seeded ones."""
    biases = [*BIASES, *np.random.default_rng(41).uniform(-20, 20, 30).tolist()]
    return [get(name), *(get(name).with_bias(bias) for bias in biases)]


def around(points: list[Fraction]) -> NDArray[np.float32]:
    """The float32 nearest to each point with the three numbers on either side, both signs, and zeros."""
    nearest = np.array([float(point) for point in points]).astype(np.float32)
    bits = nearest.view(np.int32)[:, None] + np.arange(-3, 4, dtype=np.int32)
    x = np.concatenate([bits.ravel().view(np.float32), [np.float32(0)]])
    return np.concatenate([x, -x])


def comparator_codes(x: NDArray[np.float32], name: str, step: Fraction, torch_tie: bool) -> list[int]:
    """The index is the number of midpoints passed; levels in units from rtl/README.md."""
    levels = [level * step for level in LEVELS[name]]
    middles = [(low + high) / 2 for low, high in pairwise(levels)]
    codes = []
    for value in x.tolist():
        magnitude = Fraction(abs(value))
        index = bisect_right(middles, magnitude)
        if index and magnitude == middles[index - 1]:
            up = index > 1 if torch_tie else index % 2 == 0
            index -= not up
        codes.append(index | (8 if math.copysign(1, value) < 0 else 0))
    return codes


def points_of(form: Format, name: str) -> list[Fraction]:
    """Every positive value, every midpoint, and twice the largest value."""
    levels = [level * form.step for level in LEVELS[name]]
    middles = [(low + high) / 2 for low, high in pairwise(levels)]
    return [*levels[1:], *middles, 2 * levels[-1]]


def fpq(x: Fraction, name: str, scale: Fraction) -> Fraction:
    """methods.md section 1.2 in exact arithmetic: clip, e = max(floor(log2|x| + b), 1), step = 2^(e - M - b).

    2^-b is `scale` times 2^-(the integer bias of the format's scale 1), so floor(log2|x| + b) needs no log.
    """
    exp_bits, man_bits = GRIDS[name]
    unit = scale * Fraction(2) ** -get(name).bias
    maxval = (2 - Fraction(1, 2**man_bits)) * Fraction(2) ** (2**exp_bits - 1) * unit
    clipped = max(min(x, maxval), -maxval)
    if clipped == 0:
        return Fraction(0)
    exponent = max(floor_log2(abs(clipped) / unit), 1)
    step = Fraction(2) ** (exponent - man_bits) * unit
    return round(clipped / step) * step


@pytest.mark.parametrize("name", GRIDS)
def test_codes_equal_a_comparator_table_around_every_midpoint_and_value(name: str) -> None:
    cases = 0
    for form in biased(name):
        x = around(points_of(form, name))
        ties = ("torch", "code_even") if name == "e3m0" else (None,)
        for tie in ties:
            want = comparator_codes(x, name, form.step, tie == "torch")
            for dtype in (np.float32, np.float64):  # seven comparisons; the general loop
                assert encode(x.astype(dtype), form, e3m0_tie=tie).tolist() == want, form  # type: ignore[arg-type]
                cases += x.size
    assert cases == 41 * (15 * 7 + 1) * 2 * 2 * (2 if name == "e3m0" else 1)


@pytest.mark.parametrize("name", GRIDS)
def test_values_equal_the_fpq_formula_ties_and_all(name: str) -> None:
    """The torch rule of E3M0 is what the formula does, not an option of it."""
    cases = 0
    for form in biased(name):
        x = around(points_of(form, name))
        for code, value in zip(encode(x, form).tolist(), x.tolist(), strict=True):
            assert form.value(code) == fpq(Fraction(value), name, form.scale), (form, value)
            cases += 1
    assert cases == 41 * (15 * 7 + 1) * 2


@pytest.mark.parametrize("name", GRIDS)
def test_the_formula_in_torch_gives_the_same_values(name: str) -> None:
    """As LLM-FP4 computes it, in floating point; elements within 1e-6 of a midpoint may fall either way."""
    exp_bits, man_bits = GRIDS[name]
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(200_000, generator=generator, dtype=torch.float64)
    x = x.float().double()
    bias = 2**exp_bits - torch.log2(x.abs().max()) + math.log2(2 - 2.0**-man_bits) - 1
    exponent = torch.clamp(torch.floor(torch.log2(x.abs()) + bias), min=1.0)
    step = 2.0 ** (exponent - man_bits - bias)
    theirs = (torch.round(x / step) * step).numpy()
    form = get(name).with_bias(float(bias))
    ours = decode(encode(x.float().numpy(), form), form)
    same = np.isclose(ours, theirs, rtol=1e-6, atol=0)
    off = (x.numpy() / step.numpy() % 1)[~same]
    assert (np.abs(off - 0.5) < 1e-5).all()
    assert same.sum() > 199_990


def test_e1m2_is_int4_limited_to_seven() -> None:
    cases = 0
    for form in biased("e1m2"):
        x = around(points_of(form, "e1m2"))
        integers = get("int4").scaled(form.step)
        limit = np.float32(float(form.max_value))
        ours = decode(encode(x, form), form)
        theirs = decode(encode(np.clip(x, -limit, limit), integers), integers)
        np.testing.assert_array_equal(ours, theirs)
        cases += x.size
    assert cases == 41 * 106 * 2


SCALED = (
    get("e2m1").scaled(0.7),
    get("e3m0").scaled(1.3),
    get("e1m2").scaled(Fraction(11, 8)),
    get("e2m3").with_bias(2.2),
    Format("e3m4", 3, 4, bias=3).with_bias(4.4),
    get("e4m3").scaled(1 / 3),
    get("e5m2").scaled(1.1),
    Format("ue3m1", 3, 1, bias=3, signed=False).scaled(5.1),
)


@pytest.mark.parametrize("form", SCALED, ids=lambda form: form.name)
@pytest.mark.parametrize("rounding", ["rne", "rna", "rtz", "rup", "rdn"])
def test_every_rounding_equals_a_search_of_the_values(form: Format, rounding: str) -> None:
    values = [v for c in range(form.magnitude_mask + 1) if isinstance(v := form.value(c), Fraction)]
    points = [*values[1:], *((a + b) / 2 for a, b in pairwise(values))]
    x = around(points)
    x = x[[abs(Fraction(value)) <= form.max_value for value in x.tolist()]]
    x = x[~np.signbit(x)] if not form.signed else x
    torch_tie = form.man_bits == 0 and rounding == "rne"
    assert x.size > 100
    for dtype in (np.float32, np.float64):
        codes = encode(x.astype(dtype), form, rounding=rounding).tolist()  # type: ignore[arg-type]
        for code, value in zip(codes, x.tolist(), strict=True):
            want = round_brute(Fraction(abs(value)), math.copysign(1, value) < 0, form, rounding, torch_tie)
            assert code == want, value


@pytest.mark.parametrize("form", SCALED, ids=lambda form: form.name)
def test_every_code_comes_back_from_its_rounded_value(form: Format) -> None:
    codes = np.arange(form.n_codes, dtype=np.uint8)
    values = decode(codes, form)
    for code, value in enumerate(values.tolist()):
        exact = form.value(code)
        if isinstance(exact, Fraction):
            assert np.float32(float(exact)) == np.float32(value)  # 32 bits fit float64: one rounding
    keep = ~np.isnan(values)
    overflow = "inf" if form.has_inf else "saturate"
    np.testing.assert_array_equal(encode(values[keep], form, overflow=overflow), codes[keep])


def test_infinities_nans_and_zeros_are_those_of_the_format() -> None:
    x = np.array([np.inf, -np.inf, 0.0, -0.0, 3e38, 1e-45], np.float32)
    for form in SCALED:
        assert encode(x, form).tolist() == encode(x, get_unscaled(form)).tolist()
    assert encode(np.array([np.nan], np.float32), get("e4m3").scaled(1 / 3)).tolist() == [0x7F]
    with pytest.raises(ValueError, match="e2m1 has no NaN"):
        encode(np.array([np.nan], np.float32), get("e2m1").scaled(0.7))


def get_unscaled(form: Format) -> Format:
    return form.scaled(1)
