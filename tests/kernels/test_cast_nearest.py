"""encode, nearest even, against ml_dtypes and numpy; decode against both."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.formats import FORMATS, get
from fpsim.kernels.cast import decode, encode
from tests.kernels.reference import boundaries, finite_fp16, held_by, neighbours

# Our name: the outside type, and whether it overflows to infinity.
OUTSIDE: dict[str, tuple[Any, bool]] = {
    "e2m1": (ml_dtypes.float4_e2m1fn, False),
    "e2m3": (ml_dtypes.float6_e2m3fn, False),
    "e3m2": (ml_dtypes.float6_e3m2fn, False),
    "e4m3": (ml_dtypes.float8_e4m3fn, False),
    "e5m2": (ml_dtypes.float8_e5m2, True),
    "bf16": (ml_dtypes.bfloat16, True),
    "fp16": (np.float16, True),
}


def codes_of(x: NDArray[Any]) -> NDArray[Any]:
    return x.view(np.uint8 if x.itemsize == 1 else np.uint16)


def saturated(x: NDArray[Any], name: str) -> NDArray[Any]:
    """The outside type's codes of x clipped to its largest value: what saturation means."""
    largest = x.dtype.type(float(get(name).max_value))
    return codes_of(np.clip(x, -largest, largest).astype(OUTSIDE[name][0]))


def bf16_patterns() -> NDArray[np.float32]:
    """All 65,536 bfloat16 patterns, as float32."""
    return (np.arange(1 << 16, dtype=np.uint32) << 16).view(np.float32)


@pytest.mark.parametrize("name", OUTSIDE)
def test_all_half_and_bfloat16_patterns_saturate(name: str) -> None:
    bf16 = bf16_patterns()
    bf16 = bf16[~np.isnan(bf16)]
    half = finite_fp16().view(np.float16)
    half = np.concatenate([half, np.array([np.inf, -np.inf], np.float16)])
    np.testing.assert_array_equal(encode(bf16, name), saturated(bf16, name))
    wide = half.astype(np.float32)
    np.testing.assert_array_equal(encode(wide, name), saturated(wide, name))
    np.testing.assert_array_equal(encode(half, name), saturated(wide, name))
    np.testing.assert_array_equal(encode(half.astype(np.float64), name), saturated(wide, name))
    assert (bf16.size, half.size) == (65536 - 2 * 127, 63490)


@pytest.mark.parametrize("name", OUTSIDE)
def test_neighbours_of_every_boundary(name: str) -> None:
    """Every value and midpoint of the format with the float32 before and after it."""
    fmt = get(name)
    points = boundaries(fmt)
    x = neighbours(held_by(points, np.float32), np.float32)
    x = x[np.isfinite(x)]
    np.testing.assert_array_equal(encode(x, name), saturated(x, name))
    np.testing.assert_array_equal(encode(x.astype(np.float64), name), saturated(x, name))
    assert x.size >= 6 * 8


@pytest.mark.parametrize("name", ["e5m2", "bf16", "fp16"])
def test_overflow_to_infinity_and_nan(name: str) -> None:
    kind, _ = OUTSIDE[name]
    bits = np.random.default_rng(12).integers(0, 1 << 32, 300_000, dtype=np.uint32)
    bits[:6] = (0x7F800000, 0xFF800000, 0x477FE000, 0x477FF000, 0x477FEFFF, 0x7F7FFFFF)
    x = bits.view(np.float32)
    numbers = x[~np.isnan(x)]
    with np.errstate(over="ignore"):
        want = codes_of(numbers.astype(kind))
    np.testing.assert_array_equal(encode(numbers, name, overflow="inf"), want)
    nans = encode(x[np.isnan(x)], name)
    assert np.isnan(decode(nans, name)).all()
    np.testing.assert_array_equal(np.signbit(decode(nans, name)), bits[np.isnan(x)] >> 31)
    quiet = {"e5m2": 0x7E, "bf16": 0x7FC0, "fp16": 0x7E00}[name]
    np.testing.assert_array_equal(nans & nans.dtype.type(get(name).magnitude_mask), quiet)


def test_float64_to_half_and_single_rounds_once() -> None:
    """numpy rounds float64 to float16 directly; a way through float32 would miss these."""
    rng = np.random.default_rng(13)
    middles = (2 * rng.integers(1024, 2048, 20_000) + 1) * 2.0 ** rng.integers(-36, 4, 20_000)
    x = np.concatenate([np.nextafter(middles, 0), middles, np.nextafter(middles, np.inf)])
    x = np.concatenate([x, -x])
    want = x.astype(np.float16).view(np.uint16)
    np.testing.assert_array_equal(encode(x, "fp16", overflow="inf"), want)
    assert (x.astype(np.float32).astype(np.float16).view(np.uint16) != want).sum() > 1000
    random = rng.integers(-(2**63), 2**63, 200_000).view(np.float64)
    random = random[~np.isnan(random)]
    with np.errstate(over="ignore", under="ignore"):
        for y in (random, rng.normal(size=50_000) * 2.0**-140, x * 2.0**-120):
            want = y.astype(np.float32).view(np.uint32)
            np.testing.assert_array_equal(encode(y, "fp32", overflow="inf"), want)


def test_tf32_rounds_the_lower_thirteen_bits_away() -> None:
    """TF32 is float32 without its 13 last bits, so nearest even is an integer rule on the bits."""
    bits = np.random.default_rng(14).integers(0, 0x7F7FE000, 200_000, dtype=np.uint32)
    bits[:4] = (0x0FFF, 0x1000, 0x1001, 0x3000)
    want = (bits + np.uint32(0xFFF) + ((bits >> 13) & 1)) >> 13
    np.testing.assert_array_equal(encode(bits.view(np.float32), "tf32"), want)


def test_e8m0_equals_ml_dtypes_on_positive_normal_numbers() -> None:
    """Nearest power of two, ties up. Below 2^-126 ml_dtypes (and torch) round 1.1 · 2^-127 to 2^-126, as if
    code 0 were a zero; here the nearest is the nearest."""
    x = bf16_patterns()[0x80:0x7F80]
    x = np.concatenate([x, np.nextafter(x, np.float32(0)), np.nextafter(x, np.float32(np.inf))])
    x = x[(x >= 2.0**-126) & (x < 1.5 * 2.0**127)]
    want = x.astype(ml_dtypes.float8_e8m0fnu).view(np.uint8)
    np.testing.assert_array_equal(encode(x, "e8m0"), want)
    assert x.size > 97_000
    low = np.array(
        [0.0, -0.0, 2.0**-149, 2.0**-127, 1.1 * 2.0**-127, 1.5 * 2.0**-127, 1.99 * 2.0**-127], np.float32
    )
    assert encode(low, "e8m0").tolist() == [0, 0, 0, 0, 0, 1, 1]
    special = np.array([np.inf, 1.5 * 2.0**127, -3.0, -np.inf, np.nan], np.float32)
    assert encode(special, "e8m0").tolist() == [254, 254, 0, 0, 255]


def test_ue4m3_is_e4m3_without_the_sign() -> None:
    x = np.abs(bf16_patterns())
    np.testing.assert_array_equal(encode(x, "ue4m3"), encode(x, "e4m3"))
    assert encode(np.array([-1e-9, -0.0, -500], np.float32), "ue4m3").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "low", "high"), [("int4", -8, 7), ("int8", -128, 127), ("uint4", 0, 15), ("uint8", 0, 255)]
)
def test_integers_round_half_to_even_and_saturate(name: str, low: int, high: int) -> None:
    x = np.arange(-600, 601) / 2
    x = np.concatenate([neighbours(np.abs(x), np.float32), [np.float32(1e30), np.float32(-np.inf)]]).astype(
        np.float32
    )
    want = np.clip(np.rint(x), low, high).astype(np.int64) & (high - low)
    np.testing.assert_array_equal(encode(x, name), want)


@pytest.mark.parametrize("name", FORMATS)
def test_roundtrip_is_the_identity_for_every_code(name: str) -> None:
    fmt = get(name)
    if fmt.bits <= 16:
        codes = np.arange(fmt.n_codes, dtype=np.uint32)
    else:
        rng = np.random.default_rng(15)
        codes = rng.integers(0, fmt.n_codes, 200_000, dtype=np.uint32)
        codes[:4] = (0, 1, fmt.magnitude_mask >> 9, fmt.n_codes - 1)
    values = decode(codes.astype(np.uint32), fmt)
    keep = ~np.isnan(values)
    codes, values = codes[keep], values[keep]
    overflow = "inf" if fmt.has_inf else "saturate"
    np.testing.assert_array_equal(encode(values, fmt, overflow=overflow), codes)
    np.testing.assert_array_equal(encode(values.astype(np.float64), fmt, overflow=overflow), codes)


@pytest.mark.parametrize("name", [*OUTSIDE, "e8m0"])
def test_decode_equals_the_outside_type_on_every_code(name: str) -> None:
    kind = ml_dtypes.float8_e8m0fnu if name == "e8m0" else OUTSIDE[name][0]
    fmt = get(name)
    codes = np.arange(fmt.n_codes).astype(np.uint16 if fmt.bits > 8 else np.uint8)
    want = codes.view(kind).astype(np.float32)
    got = decode(codes, fmt)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(want))
    assert got.size == fmt.n_codes


def test_fp32_codes_are_reinterpreted_payload_and_all() -> None:
    codes = np.array([0x7FC12345, 0xFF800001, 1, 0x80000000], np.uint32)
    got = decode(codes, "fp32")
    assert got.view(np.uint32).tolist() == codes.tolist()
    assert not np.shares_memory(got, codes)


def test_shapes_and_code_dtypes() -> None:
    assert encode(np.zeros((2, 3, 4), np.float16), "e2m1").shape == (2, 3, 4)
    assert encode(np.array(3.0, np.float32), "e2m1").tolist() == 5
    assert decode(np.array(5, np.uint8), "e2m1").tolist() == 3.0
    assert encode(np.zeros(0, np.float32), "fp16").shape == (0,)
    dtypes = {
        name: encode(np.ones(1, np.float32), name).dtype.name for name in ("e2m1", "e5m2", "bf16", "tf32")
    }
    assert dtypes == {"e2m1": "uint8", "e5m2": "uint8", "bf16": "uint16", "tf32": "uint32"}
