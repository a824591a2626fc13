"""Casting: values of the standards, round trips, policies, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from fpsim.arith.cast import encode
from fpsim.formats import FORMATS, Format, get

F = Fraction
TINY = F(1, 1 << 300)

# (format, value, code): OCP MX v1.0 tables 1 to 7 (E2M1, E2M3, E3M2, E8M0), OCP FP8 v1.0 table 2 (E4M3,
# E5M2), IEEE 754 binary16 and binary32: largest, smallest normal, largest and smallest subnormal, one.
STANDARD_CODES = [
    *(("e2m1", F(v), code) for code, v in enumerate(("0", "0.5", "1", "1.5", "2", "3", "4", "6"))),
    *(("e2m1", -F(v), 8 + code) for code, v in enumerate(("0.5", "1", "1.5", "2", "3", "4", "6"), 1)),
    ("e2m3", F("7.5"), 0b011111),
    ("e2m3", F(1), 0b001000),
    ("e2m3", F("0.875"), 0b000111),
    ("e2m3", F("-0.125"), 0b100001),
    ("e3m2", F(28), 0b011111),
    ("e3m2", F("0.25"), 0b000100),
    ("e3m2", F("0.1875"), 0b000011),
    ("e3m2", F("-0.0625"), 0b100001),
    ("e4m3", F(448), 0x7E),
    ("e4m3", F(1, 64), 0x08),
    ("e4m3", F(7, 512), 0x07),
    ("e4m3", F(-1, 512), 0x81),
    ("e5m2", F(57344), 0x7B),
    ("e5m2", F(1, 1 << 14), 0x04),
    ("e5m2", F(3, 1 << 16), 0x03),
    ("e5m2", F(-1, 1 << 16), 0x81),
    ("ue4m3", F(448), 0x7E),
    ("ue4m3", F(1), 0x38),
    ("e8m0", F(1), 127),
    ("e8m0", F(1 << 127), 254),
    ("e8m0", F(1, 1 << 127), 0),
    ("fp16", F(65504), 0x7BFF),
    ("fp16", F(-1, 1 << 24), 0x8001),
    ("bf16", F(1), 0x3F80),
    ("tf32", F(1), 0x1FC00),
    ("tf32", F(-3, 2), 0x5FE00),
    ("fp32", F(1), 0x3F800000),
    ("fp32", F(-1, 1 << 149), 0x80000001),
    ("fp32", (2 - F(1, 1 << 23)) * F(2) ** 127, 0x7F7FFFFF),
    ("e3m0", F(64), 7),
    ("e3m0", F(-1), 9),
    ("e1m2", F(7), 7),
    ("e1m2", F(-4), 12),
    ("int4", F(-8), 8),
    ("int8", F(-1), 255),
    ("uint4", F(15), 15),
]


def test_values_of_the_standards() -> None:
    for fmt, value, code in STANDARD_CODES:
        assert encode(value, fmt) == code, f"{fmt} {value}"
        for rounding in ("rna", "rtz", "rup", "rdn"):
            assert encode(value, fmt, rounding=rounding, overflow="error") == code  # type: ignore[arg-type]
    assert len(STANDARD_CODES) == 51


def finite_codes(form: Format) -> list[int]:
    """All codes with a finite value; of tf32 and fp32 a seeded sample."""
    if form.bits <= 16:
        codes = range(form.n_codes)
    else:
        codes = np.random.default_rng(form.bits).integers(0, form.n_codes, 5000).tolist()
    return [code for code in codes if not isinstance(form.value(code), str)]


@pytest.mark.parametrize("fmt", FORMATS)
def test_round_trip_is_the_identity(fmt: str) -> None:
    form = get(fmt)
    codes = finite_codes(form)
    expected_count = {"fp16": 63488, "bf16": 65280, "e4m3": 254, "e5m2": 248, "ue4m3": 127, "e8m0": 255}
    assert len(codes) == expected_count.get(fmt, form.n_codes) or (form.bits > 16 and len(codes) > 4900)
    for code in codes:
        value = form.value(code)
        assert not isinstance(value, str)
        negative_zero = value == 0 and code != 0
        assert encode(value, fmt, overflow="error", negative_zero=negative_zero) == code, f"code {code}"


def test_a_format_of_ones_own() -> None:
    e5m1 = Format("e5m1", 5, 1, bias=20)
    for code in range(e5m1.n_codes):
        value = e5m1.value(code)
        assert not isinstance(value, str)
        assert encode(value, e5m1, negative_zero=code == 64) == code


# Ranges


@pytest.mark.parametrize(
    ("fmt", "limit", "largest"),
    [  # the midpoint of the largest value and the one that would follow; OCP MX, OCP FP8, IEEE 754
        ("e2m1", 7, 0x7),
        ("e2m3", F("7.75"), 0x1F),
        ("e3m2", 30, 0x1F),
        ("e3m0", 96, 0x7),
        ("e1m2", F("7.5"), 0x7),
        ("e5m2", 61440, 0x7B),
        ("fp16", 65520, 0x7BFF),
        ("bf16", (2 - F(1, 1 << 8)) * F(2) ** 127, 0x7F7F),
        ("int4", F("7.5"), 7),
        ("uint8", F("255.5"), 255),
    ],
)
def test_rne_overflows_from_the_midpoint_above_the_largest_value(
    fmt: str, limit: Fraction, largest: int
) -> None:
    form = get(fmt)
    limit = F(limit)
    assert encode(limit - TINY, fmt, overflow="error") == largest
    assert encode(limit, fmt) == largest
    with pytest.raises(ValueError, match=f"outside the range of {fmt}"):
        encode(limit, fmt, overflow="error")
    if form.has_inf:
        assert encode(limit - TINY, fmt, overflow="inf") == largest
        assert encode(limit, fmt, overflow="inf") == largest + 1
        assert encode(-limit, fmt, overflow="inf") == largest + 1 + form.n_codes // 2


def test_the_midpoint_above_448_is_a_tie_to_even_and_stays() -> None:
    # The code above 448 is NaN's and odd; OCP FP8 and ml_dtypes agree.
    for fmt in ("e4m3", "ue4m3"):
        assert encode(464, fmt, overflow="error") == 0x7E
        with pytest.raises(ValueError, match="outside the range"):
            encode(464 + TINY, fmt, overflow="error")
    assert np.float32(464).astype(ml_dtypes.float8_e4m3fn).view(np.uint8) == 0x7E


@pytest.mark.parametrize(
    ("rounding", "above", "below"),
    [  # IEEE 754-2019 section 7.4, FP16 bits
        ("rne", 0x7C00, 0xFC00),
        ("rna", 0x7C00, 0xFC00),
        ("rtz", 0x7BFF, 0xFBFF),
        ("rup", 0x7C00, 0xFBFF),
        ("rdn", 0x7BFF, 0xFC00),
    ],
)
def test_infinity_by_rounding_direction(rounding: Any, above: int, below: int) -> None:
    for x in (F(65536), F(10) ** 60):
        assert encode(x, "fp16", rounding=rounding, overflow="inf") == above
        assert encode(-x, "fp16", rounding=rounding, overflow="inf") == below
        assert encode(x, "fp16", rounding=rounding) == 0x7BFF
    assert encode(F(65504) + TINY, "fp16", rounding="rup", overflow="inf") == 0x7C00


def test_infinities() -> None:
    assert encode("+inf", "e5m2", overflow="inf") == 0x7C
    assert encode("-inf", "fp32", overflow="inf", rounding="rtz") == 0xFF800000
    saturated = {"e2m1": (7, 15), "e5m2": (0x7B, 0xFB), "int4": (7, 8), "ue4m3": (0x7E, 0), "e8m0": (254, 0)}
    for fmt, (plus, minus) in saturated.items():
        assert (encode("+inf", fmt), encode("-inf", fmt)) == (plus, minus), fmt
    for fmt in ("e4m3", "fp16", "uint8"):
        for x in ("+inf", "-inf"):
            with pytest.raises(
                ValueError, match=f"outside the range of {fmt} once rounded; overflow='error'"
            ):
                encode(x, fmt, overflow="error")


def test_unsigned_formats_clamp_or_refuse_negative_numbers() -> None:
    for fmt in ("ue4m3", "uint4", "uint8", "e8m0"):
        for x in (F(-5), F(-1, 2), -TINY):
            for rounding in ("rne", "rtz", "rup", "rdn"):
                assert encode(x, fmt, rounding=rounding) == 0  # type: ignore[arg-type]
            with pytest.raises(ValueError, match=f"outside the range of {fmt}"):
                encode(x, fmt, overflow="error")
        assert encode(0, fmt, negative_zero=True, overflow="error") == 0
    with_infinity = Format("ue5m2", 5, 2, bias=15, signed=False, specials="ieee")
    assert encode("+inf", with_infinity, overflow="inf") == 0x7C
    assert encode("-inf", with_infinity, overflow="inf") == encode(-1, with_infinity, overflow="inf") == 0


def test_e8m0_has_no_zero() -> None:
    for x in (F(0), TINY, F(2) ** -128):
        for rounding in ("rne", "rtz", "rup", "rdn"):
            assert encode(x, "e8m0", rounding=rounding, overflow="error") == 0  # type: ignore[arg-type]


def test_e8m0_rounds_in_value_with_ties_up() -> None:
    # IEEE 754-2019 section 4.3.1: with no even significand the larger magnitude; ml_dtypes, torch.
    assert [encode(F(3, 2) * F(2) ** e, "e8m0") for e in (-127, -1, 0, 1)] == [1, 127, 128, 129]
    assert encode(F(3, 2) - TINY, "e8m0") == 127
    assert encode(F(3, 2) * F(2) ** 127 - TINY, "e8m0", overflow="error") == 254
    with pytest.raises(ValueError, match="outside the range"):
        encode(F(3, 2) * F(2) ** 127, "e8m0", overflow="error")


# Zero, NaN


def test_minus_zero() -> None:
    for form in FORMATS.values():
        minus_zero = form.n_codes // 2 if form.kind == "float" and form.signed else 0
        assert encode(0, form, negative_zero=True) == minus_zero, form.name
        assert encode(0, form) == 0
        if form.signed:
            assert encode(-TINY, form) == minus_zero, form.name
            assert encode(-TINY, form, rounding="rup") == minus_zero, form.name


def test_nan_is_canonical_where_the_format_has_it() -> None:
    # OCP FP8: E4M3 S.1111.111. IEEE 754: quiet bit. E8M0 and UE4M3: all ones. ml_dtypes and numpy as witness.
    canonical = {"e4m3": 0x7F, "ue4m3": 0x7F, "e8m0": 0xFF, "e5m2": 0x7E, "bf16": 0x7FC0, "fp16": 0x7E00}
    canonical |= {"tf32": 0x3FE00, "fp32": 0x7FC00000}
    assert {name for name, form in FORMATS.items() if form.has_nan} == set(canonical)
    for fmt, code in canonical.items():
        assert encode("nan", fmt) == code, fmt
    witnesses = {
        "e4m3": ml_dtypes.float8_e4m3fn,
        "e5m2": ml_dtypes.float8_e5m2,
        "e8m0": ml_dtypes.float8_e8m0fnu,
    }
    for fmt, dtype in witnesses.items():
        assert np.float32(np.nan).astype(dtype).view(np.uint8) == canonical[fmt]
    assert np.float32(np.nan).astype(ml_dtypes.bfloat16).view(np.uint16) == canonical["bf16"]
    assert np.float32(np.nan).astype(np.float16).view(np.uint16) == canonical["fp16"]


def test_nan_without_a_nan_is_refused_or_a_named_policy() -> None:
    for fmt in ("e2m1", "e3m0", "e1m2", "e2m3", "e3m2", "int4", "uint8"):
        with pytest.raises(ValueError, match=f"x='nan': {fmt} has no NaN; nan='error'"):
            encode("nan", fmt)
    policies = {"ml_dtypes": 8, "torchao": 3, "transformer-engine": 0, "modelopt": 7}
    for policy, code in policies.items():
        assert encode("nan", "e2m1", nan=policy) == code  # type: ignore[arg-type]
    assert np.float32(np.nan).astype(ml_dtypes.float4_e2m1fn).view(np.uint8) == policies["ml_dtypes"]


# Refusals


@pytest.mark.parametrize(
    ("x", "fmt", "options", "message"),
    [
        (1, "e9m9", {}, "format='e9m9': expected one of"),
        (0.5, "e2m1", {}, "x=0.5: expected a Fraction, an int, 'nan'"),
        (True, "e2m1", {}, "x=True: expected a Fraction, an int"),
        ("inf", "e2m1", {}, "x='inf': expected a Fraction, an int, 'nan'"),
        (1, "e2m1", {"rounding": "nearest"}, "rounding='nearest': expected one of rne, rna, rtz, rup, rdn"),
        (1, "e2m1", {"overflow": "wrap"}, "overflow='wrap': expected one of saturate, inf, error"),
        (1, "e2m1", {"nan": "zero"}, "nan='zero': expected one of error, ml_dtypes, torchao"),
        (1, "e3m0", {"e3m0_tie": "up"}, "e3m0_tie='up': expected None or one of code_even, torch"),
        (
            1,
            "e4m3",
            {"overflow": "inf"},
            "overflow='inf': e4m3 has no infinity; expected 'saturate' or 'error'",
        ),
        (1, "e2m1", {"e3m0_tie": "torch"}, "e3m0_tie='torch': a rule of e3m0 and 'rne', not of e2m1"),
        (
            1,
            "e3m0",
            {"e3m0_tie": "torch", "rounding": "rtz"},
            "a rule of e3m0 and 'rne', not of e3m0 and 'rtz'",
        ),
        (1, "int8", {"overflow": "inf"}, "overflow='inf': int8 has no infinity"),
        (1, "e3m2", {"nan": "torchao"}, "nan='torchao': a policy of e2m1; e3m2 takes 'error'"),
        (1, "e2m1", {"negative_zero": True}, "negative_zero=True with x=1: expected x=0"),
        (1, "e2m1", {"rounding": "stochastic"}, "random_bits=None with rounding='stochastic'"),
        (1, "e2m1", {"random_bits": (0, 8)}, r"random_bits=\(0, 8\) with rounding='rne'"),
        (1, "e2m1", {"rounding": "stochastic", "random_bits": (256, 8)}, "value of random_bits=256"),
        (1, "e2m1", {"rounding": "stochastic", "random_bits": (0, 0)}, "nbits of random_bits=0"),
    ],
)
def test_other_arguments_are_refused(x: Any, fmt: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode(x, fmt, **options)
