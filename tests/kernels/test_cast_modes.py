"""Every rounding against gfloat; free formats, tie rules and policies against brute force and papers."""

from __future__ import annotations

from fractions import Fraction

import gfloat
import gfloat.formats as gf
import numpy as np
import pytest
import torch

from fpsim.formats import Format, get
from fpsim.kernels.cast import decode, encode
from tests.kernels.reference import boundaries, finite_values, held_by, neighbours, round_brute

GFLOAT = {
    "e2m1": gf.format_info_ocp_e2m1,
    "e2m3": gf.format_info_ocp_e2m3,
    "e3m2": gf.format_info_ocp_e3m2,
    "e4m3": gf.format_info_ocp_e4m3,
    "e5m2": gf.format_info_ocp_e5m2,
    "fp16": gf.format_info_binary16,
    "bf16": gf.format_info_bfloat16,
}
MODES = {
    "rne": gfloat.RoundMode.TiesToEven,
    "rna": gfloat.RoundMode.TiesToAway,
    "rtz": gfloat.RoundMode.TowardZero,
    "rup": gfloat.RoundMode.TowardPositive,
    "rdn": gfloat.RoundMode.TowardNegative,
}
FREE = (
    get("e3m0"),
    get("e1m2"),
    Format("e4m0", 4, 0, bias=7),
    Format("e1m0", 1, 0, bias=0),
    Format("e3m3", 3, 3, bias=-4),
    Format("e2m2", 2, 2, bias=40, specials="ieee"),
    Format("ue3m1", 3, 1, bias=3, signed=False),
    Format("e8m2", 8, 2, bias=126),
)


def inputs(name: str) -> np.ndarray:
    """Both float64 neighbours of every boundary (for wide formats of a sample) and random numbers."""
    fmt = get(name)
    points = boundaries(fmt)
    points = points[:: max(1, points.size // 3000)]
    rng = np.random.default_rng(16)
    spread = rng.normal(size=3000) * 2.0 ** rng.uniform(-20, 18, 3000)
    return np.concatenate([neighbours(points, np.float64), spread])


@pytest.mark.parametrize("name", GFLOAT)
@pytest.mark.parametrize("rounding", MODES)
def test_roundings_equal_gfloat(name: str, rounding: str) -> None:
    x, info = inputs(name), GFLOAT[name]
    for saturate in (True, False) if get(name).has_inf else (True,):
        rounded = gfloat.round_ndarray(info, x, MODES[rounding], sat=saturate)
        want = gfloat.encode_ndarray(info, rounded)
        got = encode(x, name, rounding=rounding, overflow="saturate" if saturate else "inf")
        np.testing.assert_array_equal(got, want)
    assert x.size >= 3000 + 6 * 18


@pytest.mark.parametrize("name", ["e2m1", "e4m3", "e5m2", "fp16"])
@pytest.mark.parametrize("count", [1, 3, 8, 32])
def test_stochastic_equals_gfloat_with_the_same_random_bits(name: str, count: int) -> None:
    x = (
        inputs(name).astype(np.float32).astype(np.float64)
    )  # gfloat's float64 sum of fraction and bits is exact
    random = np.random.default_rng(count).integers(0, 1 << count, x.size)
    rounded = gfloat.round_ndarray(
        GFLOAT[name], x, gfloat.RoundMode.StochasticFastest, sat=True, srbits=random, srnumbits=count
    )
    got = encode(x, name, rounding="stochastic", random_bits=(random, count))
    np.testing.assert_array_equal(got, gfloat.encode_ndarray(GFLOAT[name], rounded))


def test_stochastic_rounds_up_as_often_as_the_fraction_says() -> None:
    """Over all 2^n random words, the top n bits of the discarded fraction count the roundings up."""
    count = 0
    for bits in (1, 4, 8):
        random = np.arange(1 << bits)
        for value in (0.0, 1.0, 1.25, 1.3, 3.999, 4.5, 0.01, 1e-30, 5.0000001):
            x = np.full(random.shape, value, np.float32)
            codes = encode(x, "e2m1", rounding="stochastic", random_bits=(random, bits))
            exact = Fraction(float(x[0]))
            low = max(code for v, code in finite_values(get("e2m1")) if v <= exact)
            ends = [get("e2m1").value(code) for code in (low, min(low + 1, 7))]
            fraction = (exact - ends[0]) / (ends[1] - ends[0])
            assert (codes == low + 1).sum() == int(fraction * 2**bits), (value, bits)
            assert (codes == low).sum() == (1 << bits) - int(fraction * 2**bits)
            count += random.size
    assert count == 9 * (2 + 16 + 256)


@pytest.mark.parametrize("fmt", FREE, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("rounding", MODES)
def test_free_formats_equal_a_search_of_their_values(fmt: Format, rounding: str) -> None:
    points = boundaries(fmt)
    largest = float(fmt.max_value)
    count = 0
    for dtype in (np.float64, np.float32):
        around = neighbours(held_by(points, dtype), dtype)
        around = around[np.abs(around.astype(np.float64)) <= largest]
        if not fmt.signed:
            around = around[~np.signbit(around)]
        got = encode(around, fmt, rounding=rounding)
        for x, code in zip(around.tolist(), got.tolist(), strict=True):
            torch_tie = rounding == "rne" and fmt.man_bits == 0
            want = round_brute(Fraction(abs(x)), bool(np.signbit(x)), fmt, rounding, torch_tie)
            assert code == want, f"{fmt.name} {rounding} {x!r}: {code}, not {want}"
            count += 1
    assert count >= 2 * 3


def test_e3m0_ties_of_the_torch_formula() -> None:
    """LLM-FP4 rounds log2 of the value, so 1.5 · 2^k goes up; its subnormal step rounds half to 0."""
    ties = np.array([0.5, 1.5, 3, 6, 12, 24, 48], np.float32)
    assert encode(ties, "e3m0", e3m0_tie="torch").tolist() == [0, 2, 3, 4, 5, 6, 7]
    assert encode(ties, "e3m0").tolist() == [0, 2, 3, 4, 5, 6, 7]
    assert encode(ties, "e3m0", e3m0_tie="code_even").tolist() == [0, 2, 2, 4, 4, 6, 6]
    around = neighbours(ties.astype(np.float64), np.float32)
    for x in (around, around.astype(np.float64), around[:14].astype(np.float16)):
        got = encode(x, "e3m0", e3m0_tie="torch")
        for value, code in zip(x.tolist(), got.tolist(), strict=True):
            assert code == round_brute(Fraction(abs(value)), value < 0, get("e3m0"), "rne", torch_tie=True)


def test_e2m1_fast_path_equals_the_general_one() -> None:
    """float32 goes through seven comparisons, float64 through the general loop; all upper halves."""
    bits = (np.arange(1 << 16, dtype=np.uint32) << 16) | np.tile(
        np.array([0, 1, 0xFFFF, 0x8000], np.uint32), 1 << 14
    )
    x = bits.view(np.float32)
    x = x[~np.isnan(x)]
    for fmt in ("e2m1", "e3m0", "e1m2", Format("e2m1", 2, 1, bias=-60), Format("e2m1", 2, 1, bias=66)):
        np.testing.assert_array_equal(encode(x, fmt), encode(x.astype(np.float64), fmt))
    assert x.size == 65536 - 254


@pytest.mark.parametrize("bias", [-5000, -200, 200, 5000])
def test_a_bias_far_out_leaves_zero_or_the_largest_value(bias: int) -> None:
    fmt = Format("e4m3", 4, 3, bias=bias)
    x = np.array([0, 5e-324, 1e-300, 1.0, 1e300], np.float64)
    want = {
        -5000: [0, 0, 0, 0, 0],
        -200: [0, 0, 0, 0, 0x7F],
        200: [0, 0, 0, 0x7F, 0x7F],
        5000: [0] + [0x7F] * 4,
    }
    assert encode(x, fmt).tolist() == want[bias]
    with pytest.raises(ValueError, match="float32 does not hold this e4m3 value"):
        decode(np.array([0x08], np.uint8), fmt)
    assert decode(np.zeros(1, np.uint8), fmt).tolist() == [0.0]


@pytest.mark.parametrize(
    ("policy", "code"), [("ml_dtypes", 8), ("torchao", 3), ("transformer-engine", 0), ("modelopt", 7)]
)
def test_nan_policies_of_e2m1(policy: str, code: int) -> None:
    for dtype in (np.float16, np.float32, np.float64):
        x = np.array([1.0, np.nan, -6.0], dtype)
        assert encode(x, "e2m1", nan=policy).tolist() == [2, code, 15]


def test_flush_to_zero_changes_nothing() -> None:
    """Another library may set flush-to-zero for the whole process."""
    bits = np.array([1, 0x80000001, 0x007FFFFF, 0x00400000, 0x00010000, 0x80018000], np.uint32)
    x = bits.view(np.float32)
    formats = ("fp32", "tf32", "bf16", "e8m0", Format("e2m1", 2, 1, bias=148))
    want = [encode(x, fmt).tolist() for fmt in formats]
    assert want[0] == bits.tolist()
    try:
        assert torch.set_flush_denormal(True)
        assert [encode(x, fmt).tolist() for fmt in formats] == want
        assert decode(bits >> 13, "tf32").view(np.uint32).tolist() == (bits & 0xFFFFE000).tolist()
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.parametrize(
    ("x", "fmt", "options", "message"),
    [
        ([1.0], "e2m1", {}, "x=list: expected a numpy array of float16 or float32 or float64"),
        (np.ones(1, int), "e2m1", {}, "x.dtype=int64: expected float16"),
        (np.ones(1), "e9m9", {}, "format='e9m9': expected one of e2m1"),
        (np.ones(1), "e2m1", {"rounding": "nearest"}, "rounding='nearest': expected one of rne, rna"),
        (np.ones(1), "e2m1", {"overflow": "clip"}, "overflow='clip': expected one of saturate, inf, error"),
        (np.ones(1), "e2m1", {"overflow": "inf"}, "overflow='inf': e2m1 has no infinity"),
        (np.ones(1), "e4m3", {"overflow": "inf"}, "overflow='inf': e4m3 has no infinity"),
        (np.ones(1), "e2m1", {"nan": "zero"}, "nan='zero': expected one of error, ml_dtypes"),
        (np.ones(1), "e2m3", {"nan": "torchao"}, "nan='torchao': names what a library does for e2m1"),
        (np.array([1, np.nan], np.float32), "e2m1", {}, r"x\[1\] \(flat index\) is nan: e2m1 has no NaN"),
        (np.array([[np.nan]]), "int8", {}, "int8 has no NaN"),
        (np.array([6.9]), "e2m1", {"overflow": "error", "rounding": "rtz"}, None),
        (
            np.array([1, 7.0]),
            "e2m1",
            {"overflow": "error"},
            r"x\[1\] \(flat index\) is 7.0: beyond the largest",
        ),
        (np.array([-np.inf]), "fp16", {"overflow": "error"}, "is -inf: beyond the largest fp16 value, 65504"),
        (np.array([-1e-9]), "uint8", {"overflow": "error"}, "uint8 is unsigned; overflow='error' refuses"),
        (np.array([-0.0]), "uint8", {"overflow": "error"}, None),
        (
            np.ones(1),
            "e2m1",
            {"rounding": "stochastic"},
            "random_bits=NoneType: rounding='stochastic' expects",
        ),
        (np.ones(1), "e2m1", {"random_bits": (np.ones(1, np.uint8), 8)}, "random_bits: expected None with"),
        (
            np.ones(1),
            "e2m1",
            {"rounding": "stochastic", "random_bits": (np.array([4], np.uint8), 2)},
            "random_bits holds 4: expected values from 0 to 3",
        ),
        (
            np.ones(1),
            "e2m1",
            {"rounding": "stochastic", "random_bits": (np.zeros(2, np.uint8), 2)},
            r"random_bits.shape=\(2,\): expected \(1,\)",
        ),
        (
            np.ones(1),
            "e2m1",
            {"rounding": "stochastic", "random_bits": (np.zeros(1, np.uint8), 33)},
            "random_bits count=33: expected an integer from 1 to 32",
        ),
        (np.ones(1), "e2m1", {"e3m0_tie": "torch"}, "e3m0_tie='torch': expected e3m0 and rounding='rne'"),
        (np.ones(1), "e3m0", {"e3m0_tie": "up"}, "e3m0_tie='up': expected one of code_even, torch"),
    ],
)
def test_what_is_refused_and_named(
    x: object, fmt: str, options: dict[str, object], message: str | None
) -> None:
    if message is None:
        encode(x, fmt, **options)
    else:
        with pytest.raises(ValueError, match=message):
            encode(x, fmt, **options)


def test_codes_out_of_range_are_named() -> None:
    with pytest.raises(ValueError, match="codes holds 16: expected values from 0 to 15"):
        decode(np.array([3, 16], np.uint8), "e2m1")
    with pytest.raises(ValueError, match="codes holds 524288: expected values from 0 to 524287"):
        decode(np.array([1 << 19], np.uint32), "tf32")
