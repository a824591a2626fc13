"""Casting against gfloat (every rounding), ml_dtypes and numpy: boundaries, neighbours, random values."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import gfloat
import gfloat.formats as gf
import ml_dtypes
import numpy as np
import pytest

from fpsim.arith.cast import encode
from fpsim.formats import get

GFLOAT = {
    "e2m1": gf.format_info_ocp_e2m1,
    "e2m3": gf.format_info_ocp_e2m3,
    "e3m2": gf.format_info_ocp_e3m2,
    "e4m3": gf.format_info_ocp_e4m3,
    "e5m2": gf.format_info_ocp_e5m2,
    "e8m0": gf.format_info_ocp_e8m0,
    "bf16": gf.format_info_bfloat16,
    "fp16": gf.format_info_binary16,
    "fp32": gf.format_info_binary32,
    "int8": gf.format_info_ocp_int8,  # in steps of 1/64
}
ROUNDINGS = {
    "rne": gfloat.RoundMode.TiesToEven,
    "rna": gfloat.RoundMode.TiesToAway,
    "rtz": gfloat.RoundMode.TowardZero,
    "rup": gfloat.RoundMode.TowardPositive,
    "rdn": gfloat.RoundMode.TowardNegative,
}
PEER_DTYPES = {
    "e2m1": ml_dtypes.float4_e2m1fn,
    "e2m3": ml_dtypes.float6_e2m3fn,
    "e3m2": ml_dtypes.float6_e3m2fn,
    "e4m3": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e8m0": ml_dtypes.float8_e8m0fnu,
    "bf16": ml_dtypes.bfloat16,
    "fp16": np.float16,
}
UNIT = {"int8": Fraction(1, 64)}


def magnitudes(fmt: str, seed: int) -> Iterator[float]:
    """Finite magnitudes, points between them (quarters, a hair off the middle), beyond the range, random.

    All are exact float64 numbers. Formats of 16 bits and more: 60 seeded codes with their successors.
    """
    form = get(fmt)
    rng = np.random.default_rng(seed)
    top = form.max_magnitude_code
    if form.bits <= 8:
        codes = range(top + 1)
    else:
        ends = [0, 1, 2, (1 << form.man_bits) - 1, 1 << form.man_bits, top - 1]
        codes = [*ends, *rng.integers(0, top, 60).tolist()]
    for code in codes:
        low = form.value(code)
        high = form.value(code + 1) if code < top else form.max_value * 2
        assert not isinstance(low, str)
        assert not isinstance(high, str)
        gap = high - low
        for numerator in (0, 1, 64, 127, 128, 129, 192, 255):
            yield float((low + gap * Fraction(numerator, 256)) * UNIT.get(fmt, 1))
    largest = float(form.max_value * UNIT.get(fmt, 1))
    last_gap = float(form.max_value - form.value(top - 1)) * float(UNIT.get(fmt, 1))  # type: ignore[operator]
    yield from (largest + last_gap * f for f in (0.25, 0.5, 0.75, 1.0, 1.5))
    yield from (largest * rng.random(40)).tolist()
    smallest = float(form.step * UNIT.get(fmt, 1))
    yield from (smallest * 4 * rng.random(40)).tolist()


def signed(fmt: str, seed: int) -> list[float]:
    """The magnitudes with both signs; e8m0: positive ones that do not underflow."""
    points = list(magnitudes(fmt, seed))
    if fmt == "e8m0":
        return [x for x in points if x >= 2.0**-127]
    return points + [-x for x in points]


def law(x: float, fmt: str, **options: Any) -> int:
    return encode(
        Fraction(x) / UNIT.get(fmt, 1), fmt, negative_zero=x == 0 and bool(np.signbit(x)), **options
    )


def peer(x: float, fmt: str, mode: gfloat.RoundMode, saturate: bool, **stochastic: int) -> int:
    info = GFLOAT[fmt]
    return int(gfloat.encode_float(info, gfloat.round_float(info, x, mode, saturate, **stochastic)))


def test_all_codes_have_gfloats_value() -> None:
    cases = 0
    for fmt, info in GFLOAT.items():
        form = get(fmt)
        codes = range(form.n_codes)
        if form.bits > 8:
            codes = np.random.default_rng(80).integers(0, form.n_codes, 3000).tolist()
        for code in codes:
            value, theirs = form.value(code), gfloat.decode_float(info, code).fval
            if isinstance(value, str):
                assert np.isnan(theirs) if value == "nan" else theirs == float(value), f"{fmt} {code}"
            else:
                assert value * UNIT.get(fmt, 1) == Fraction(theirs), f"{fmt} {code}"
            cases += 1
    assert cases == 16 + 2 * 64 + 4 * 256 + 3 * 3000


def test_all_codes_have_ml_dtypes_value() -> None:
    cases = 0
    for fmt, dtype in PEER_DTYPES.items():
        form = get(fmt)
        codes = np.arange(form.n_codes, dtype=np.uint16 if form.bits > 8 else np.uint8)
        with np.errstate(invalid="ignore"):  # signalling NaNs
            theirs = codes.view(dtype).astype(np.float64).tolist()
        for code, their in enumerate(theirs):
            value = form.value(code)
            if isinstance(value, str):
                assert np.isnan(their) if value == "nan" else their == float(value), f"{fmt} {code}"
            else:
                assert value == Fraction(their), f"{fmt} {code}"
            cases += 1
    assert cases == 16 + 2 * 64 + 3 * 256 + 2 * 65536


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("fmt", GFLOAT)
def test_rounding_is_gfloats(fmt: str, rounding: Any) -> None:
    cases = 0
    for x in signed(fmt, 81):
        if fmt == "e8m0" and rounding == "rne" and np.frexp(x)[0] == 0.75:
            continue  # ties: gfloat goes to the even code, IEEE 754, ml_dtypes and torch up
        assert law(x, fmt, rounding=rounding) == peer(x, fmt, ROUNDINGS[rounding], True), f"x={x!r}"
        if get(fmt).has_inf:
            ours, theirs = (
                law(x, fmt, rounding=rounding, overflow="inf"),
                peer(x, fmt, ROUNDINGS[rounding], False),
            )
            assert ours == theirs, f"x={x!r}, to infinity"
        cases += 1
    assert cases >= 280


@pytest.mark.parametrize("fmt", GFLOAT)
def test_stochastic_rounding_is_gfloats_fastest(fmt: str) -> None:
    rng = np.random.default_rng(82)
    cases = 0
    for x in signed(fmt, 83):
        nbits = int(rng.integers(1, 17))
        value = int(rng.integers(0, 1 << nbits))
        ours = law(x, fmt, rounding="stochastic", random_bits=(value, nbits))
        mode = gfloat.RoundMode.StochasticFastest
        theirs = peer(x, fmt, mode, True, srbits=value, srnumbits=nbits)
        assert ours == theirs, f"x={x!r} random_bits=({value}, {nbits})"
        cases += 1
    assert cases >= 280


@pytest.mark.parametrize("fmt", [fmt for fmt in PEER_DTYPES if fmt != "e8m0"])
def test_rne_is_ml_dtypes_and_numpys(fmt: str) -> None:
    form = get(fmt)
    # float32 first, so that the library rounds once; beyond the range the libraries follow other rules.
    limit = float(form.max_value)
    points = np.array([x for x in signed(fmt, 84) if abs(x) <= limit]).astype(np.float32)
    theirs = points.astype(PEER_DTYPES[fmt])
    codes = theirs.view(np.uint16 if form.bits > 8 else np.uint8).tolist()
    assert [law(x, fmt) for x in points.tolist()] == codes
    assert len(codes) >= 250


def test_e8m0_is_ml_dtypes_above_the_lowest_gap() -> None:
    # Between 2^-127 and 2^-126, subnormal in float32, ml_dtypes 0.6.0 rounds up whatever lies nearer.
    points = np.array([x for x in signed("e8m0", 84) if x <= 2.0**127])
    theirs = points.astype(ml_dtypes.float8_e8m0fnu).view(np.uint8).tolist()
    agreed = ties = 0
    for x, code in zip(points.tolist(), theirs, strict=True):
        if 2.0**-127 < x < 1.5 * 2.0**-127:
            assert (law(x, "e8m0"), code) == (0, 1), f"x={x!r}"
        else:
            assert law(x, "e8m0") == code, f"x={x!r}"
            agreed += 1
            ties += np.frexp(x)[0] == 0.75
    assert agreed > 1500
    assert ties > 200


@pytest.mark.parametrize("fmt", ["e5m2", "bf16", "fp16"])
def test_overflow_to_infinity_is_ml_dtypes_and_numpys(fmt: str) -> None:
    form = get(fmt)
    scaled = [float(form.max_value * Fraction(n, 1 << 13)) for n in range(8000, 9000)]
    points = np.array([x for x in scaled if x < 2.0**128 * (1 - 2.0**-24)]).astype(np.float32)
    with np.errstate(over="ignore"):
        theirs = points.astype(PEER_DTYPES[fmt])
    codes = theirs.view(np.uint16 if form.bits > 8 else np.uint8).tolist()
    ours = [encode(Fraction(x), fmt, overflow="inf") for x in points.tolist()]
    assert ours == codes
    assert form.max_magnitude_code + 1 in ours


def test_fp32_is_numpys_float32() -> None:
    rng = np.random.default_rng(85)
    bits = rng.integers(0, 1 << 63, 6000, dtype=np.uint64) & np.uint64((1 << 52) - 1)
    exponents = rng.integers(1023 - 155, 1023 + 128, bits.size).astype(np.uint64) << np.uint64(52)
    points = (bits | exponents).view(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        theirs = points.astype(np.float32).view(np.uint32).tolist()
    assert [encode(Fraction(x), "fp32", overflow="inf") for x in points.tolist()] == theirs


@pytest.mark.parametrize(("fmt", "low", "high"), [("int4", -8, 7), ("int8", -128, 127), ("uint8", 0, 255)])
def test_integers_are_numpys_rint_and_clip(fmt: str, low: int, high: int) -> None:
    points = np.arange(-4 * 300, 4 * 300) / 4
    roundings: dict[Any, Any] = {"rne": np.rint, "rtz": np.trunc, "rup": np.ceil, "rdn": np.floor}
    for rounding, function in roundings.items():
        expected = np.clip(function(points), low, high).astype(np.int64) % get(fmt).n_codes
        ours = [encode(Fraction(x), fmt, rounding=rounding) for x in points.tolist()]
        assert ours == expected.tolist(), rounding
