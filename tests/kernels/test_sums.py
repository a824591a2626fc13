"""Sums that round: numpy's additions at scale, both sides of every fast way's conditions, memory."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from numba import njit

from fpsim import matmul
from fpsim.arith.cast import encode as law_encode
from fpsim.formats import PRESETS, Accumulator, Format, get
from fpsim.kernels import narrow_add, narrow_sum
from fpsim.kernels.cast import decode
from fpsim.kernels.narrow_add import Rules, half
from fpsim.kernels.operands import side, start_sums

E6M5 = Format("e6m5", 6, 5, bias=31, specials="ieee")
E4M3_IEEE = Format("e4m3i", 4, 3, bias=7, specials="ieee")
E8M16 = Format("e8m16", 8, 16, bias=127, specials="ieee")
E8M22 = Format("e8m22", 8, 22, bias=127, specials="ieee")
# Multiples of 2 and 4, so that a sum of quarters may round to 0.
COARSE = Format("e5m2c", 5, 2, bias=-2, specials="ieee")
COARSE_SMALL = Format("e2m2c", 2, 2, bias=-3, specials="ieee")
COARSE_SATURATING = Format("e2m2s", 2, 2, bias=-3)
# Products up to 9 · 2^72 and 9 · 2^74, either side of what may stand beside the number that plays infinity.
HIGH = Format("e1m1h", 1, 1, bias=-36)
HIGHER = Format("e1m1i", 1, 1, bias=-37)
SKY = Format("e6m4s", 6, 4, bias=-17, specials="ieee")  # up to 2^80


def codes(seed: int, fmt: str | Format, shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, get(fmt).n_codes, shape).astype(np.uint8)


def way(
    a: np.ndarray, b: np.ndarray, fmt: str | Format, acc: Accumulator, c: np.ndarray | None = None
) -> str:
    """The name of the way that the kernel takes."""
    left, right = side("a", a, get(fmt), None, acc), side("b", b, get(fmt), None, acc)
    plan = narrow_sum.plan(left, right, start_sums(c, (len(a), len(b)), acc), c is not None, acc)
    return "general" if plan is None else plan.way + " on the grid" * plan.on_grid


@pytest.mark.parametrize(("name", "dtype"), [("fp32", np.float32), ("fp16", np.float16)])
@pytest.mark.parametrize("fmt", ["e2m1", "e2m3", "e4m3"])
def test_sequential_sums_are_numpys_own_additions(name: str, dtype: Any, fmt: str) -> None:
    a, b = codes(300, fmt, (33, 777)), codes(301, fmt, (301, 777))
    for operand in (a, b):
        operand[(operand & 0x7F) == 0x7F] = 0  # E4M3's NaN
    left, right = decode(a, fmt), decode(b, fmt)
    c = np.random.default_rng(302).standard_normal((33, 301)).astype(dtype)
    total = c.copy()
    with np.errstate(all="ignore"):
        for k in range(777):
            total = total + np.multiply.outer(left[:, k], right[:, k]).astype(dtype)
    got = matmul(a, b, a_fmt=fmt, b_fmt=fmt, acc=Accumulator.sequential(name, fused=False), c=c.astype("f4"))
    total = np.where(np.isnan(total), np.nan, total).astype(np.float32)  # numpy's NaN carries a sign
    np.testing.assert_array_equal(got.view(np.uint32), total.view(np.uint32))


# Operands, K, the sum's format, C, the way. The general loop is itself held to the law and to numpy.
WAYS: list[tuple[str | Format, int, str | Format, float | None, str]] = [
    ("e2m1", 116508, "fp32", None, "integer"),  # 144 · K quarters < 2^24
    ("e2m1", 116509, "fp32", None, "native"),
    ("e2m1", 14, "fp16", None, "integer"),  # 144 · K <= 2^11
    ("e2m1", 15, "fp16", None, "half"),
    ("e2m1", 300, "fp32", 2.0**-100, "native"),
    ("e2m1", 300, "fp32", 2.0**-101, "general"),
    ("e2m1", 300, "fp32", np.inf, "general"),
    ("e2m1", 300, "fp16", 2.0**-24, "half"),
    ("e2m1", 300, "fp16", np.inf, "general"),
    ("e4m3", 300, "fp16", None, "half"),
    ("int8", 300, "fp16", None, "general"),  # 14-bit products
    ("e2m1", 300, "bf16", None, "magic on the grid"),
    ("e2m1", 300, "bf16", 2.0**14, "magic on the grid"),  # P <= 2^6, so B = 2^14
    ("e2m1", 300, "bf16", 2.0**14 + 2.0**7, "general"),  # bf16 leaves the range that is proved
    ("e2m1", 300, "bf16", -0.0, "magic"),  # a zero of C that must keep its sign
    ("e2m1", 300, "bf16", 0.125, "general"),  # no multiple of a quarter
    ("e2m1", 300, "e5m2", None, "magic on the grid"),
    ("e2m1", 300, E6M5, None, "magic on the grid"),
    ("e2m1", 300, E4M3_IEEE, None, "infinite on the grid"),
    ("e2m1", 300, E4M3_IEEE, -0.0, "infinite"),
    ("e2m1", 300, "e4m3", None, "saturating on the grid"),
    ("e2m1", 300, "e4m3", -0.0, "saturating"),
    ("e2m1", 300, COARSE, None, "magic"),
    ("e2m1", 300, COARSE_SMALL, None, "infinite"),
    ("e2m1", 300, COARSE_SATURATING, None, "saturating"),
    ("e2m1", 4000, E8M16, None, "magic on the grid"),  # B = 2^23 is too large; 2 K (P + step) is not
    ("e2m1", 4000, E8M16, 2.0**21, "general"),
    ("e2m1", 300, E8M22, None, "integer"),
    ("e2m1", 300, E8M22, 1.0, "general"),
    (HIGH, 300, SKY, None, "infinite on the grid"),
    (HIGHER, 300, SKY, None, "general"),
    ("e3m0", 300, "e5m2", None, "magic on the grid"),
    ("e4m3", 300, "e5m2", None, "general"),  # 8-bit products, 2^34 units wide
]


@pytest.mark.parametrize(("fmt", "depth", "target", "start", "expected"), WAYS)
def test_fast_ways_equal_the_general_loop_on_both_sides_of_their_conditions(
    fmt: str | Format, depth: int, target: str | Format, start: float | None, expected: str
) -> None:
    rows = 2 if depth > 1000 else 5
    a, b = codes(310, fmt, (rows, depth)), codes(311, fmt, (300 if depth < 1000 else 3, depth))
    top = get(fmt).max_magnitude_code if get(fmt).kind == "float" else 127
    a[0], b[0], b[1] = top, top, np.where(np.arange(depth) % 2, top, a[1])
    if fmt == "e4m3":
        a[(a & 127) == 127], b[(b & 127) == 127] = 0, 0
    acc = Accumulator.sequential(target)
    c = None if start is None else np.full((rows, len(b)), start, np.float32)
    assert way(a, b, fmt, acc, c) == expected
    got = matmul(a, b, a_fmt=fmt, b_fmt=fmt, acc=acc, c=c)
    # A block scale of 1 changes no value and rules out every fast way.
    scaled = Accumulator.sequential(target, scale="e8m0", block=1 << 20)
    ones = {"a_scale": np.full((rows, 1), 127, np.uint8), "b_scale": np.full((len(b), 1), 127, np.uint8)}
    slow = matmul(a, b, a_fmt=fmt, b_fmt=fmt, acc=scaled, c=c, **ones)
    np.testing.assert_array_equal(got.view(np.uint32), slow.view(np.uint32))


@pytest.mark.parametrize("where", ["everywhere", "nowhere", "in one sum", "there and back"])
@pytest.mark.parametrize(
    ("fmt", "overflow"),
    [
        (E4M3_IEEE, "ieee"), (E4M3_IEEE, "inf"), (E4M3_IEEE, "saturate"), ("e4m3", "saturate"),
        ("fp16", "ieee"), ("fp16", "inf"), ("fp16", "saturate"), ("e5m2", "saturate"),
    ],
)  # fmt: skip
def test_sums_that_leave_the_range_equal_the_general_loop(
    fmt: str | Format, overflow: Any, where: str
) -> None:
    depth = 4000
    a, b = codes(314, "e2m1", (3, depth)) & 7, codes(315, "e2m1", (40, depth)) & 7
    signs = np.where(np.arange(depth) % 2, 8, 0).astype(np.uint8)  # sums that stay near 0
    if where == "nowhere":
        a, b = a & 1, b & 1  # at most a quarter each
        a |= signs
    elif where == "in one sum":
        a, b = a & 1, b & 1
        a |= signs
        a[2], b[39] = 7, 7
    elif where == "there and back":
        a[:], b[::2] = 7, 7
        b[::2, depth // 2 :] |= 8
        b[1::2] |= np.where(np.arange(depth) // 64 % 2, 8, 0).astype(np.uint8)
    acc = Accumulator.sequential(fmt, overflow=overflow)
    got = matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=acc)
    scaled = Accumulator.sequential(fmt, overflow=overflow, scale="e8m0", block=1 << 20)
    ones = {"a_scale": np.full((3, 1), 127, np.uint8), "b_scale": np.full((40, 1), 127, np.uint8)}
    slow = matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=scaled, **ones)
    np.testing.assert_array_equal(got.view(np.uint32), slow.view(np.uint32))
    if overflow != "saturate" and where == "everywhere" and fmt != "fp16":
        assert np.isposinf(got).all()
    if where == "nowhere":
        assert (np.abs(got) < get(fmt).max_value).all()


def test_other_roundings_take_the_general_loop_unless_nothing_is_rounded() -> None:
    a, b = codes(312, "e2m1", (2, 300)), codes(313, "e2m1", (2, 300))
    for rounding in ("rna", "rtz", "rup", "rdn"):
        assert way(a, b, "e2m1", Accumulator.sequential("fp16", rounding)) == "general"  # type: ignore[arg-type]
    assert way(a, b, "e2m1", Accumulator.sequential("fp32", "rtz")) == "integer"
    assert way(a, b, "e2m1", Accumulator.sequential("fp32", "rdn")) == "general"  # an exact zero is −0


@njit
def _round_all(values: np.ndarray, rules: Any, out: np.ndarray) -> None:
    for i in range(values.shape[0]):
        out[i] = narrow_add.add_magic(values[i], np.float32(0), np.float32(0), rules)


@pytest.mark.parametrize("man_bits", [1, 2, 3, 5, 7, 10, 15, 21])
def test_magic_rounding_is_right_for_every_significand(man_bits: int) -> None:
    # Powers of two scale every step of the argument exactly, so one binade of normal numbers and the three
    # below the smallest normal number stand for all.
    rules = Rules(*(np.float32(x) for x in (1.0, 1.5 * 2.0 ** (23 - man_bits), 2.0**100)))
    significands = np.arange(1 << 23, dtype=np.int32) + (127 << 23)
    for below in range(4):
        values = (significands - (below << 23)).view(np.float32)
        got = np.empty_like(values)
        _round_all(values, rules, got)
        spacing = 23 - man_bits + below  # of the last place that stays, in bits of the significand
        whole = (np.arange(1 << 23, dtype=np.int64) + (1 << 23)) << 4
        half_step, odd = 1 << (spacing + 3), (whole >> (spacing + 4)) & 1
        want = (whole + half_step - 1 + odd) >> (spacing + 4)
        scale = 2.0**-man_bits
        np.testing.assert_array_equal(got, (want * scale).astype(np.float32))
        np.testing.assert_array_equal(np.signbit(-values), np.signbit(-got))


@njit
def _half_all(values: np.ndarray, out: np.ndarray) -> None:
    for i in range(values.shape[0]):
        out[i] = half(values[i])


def test_the_processors_fp16_conversion_is_ieees_rounding_on_every_number_and_tie() -> None:
    numbers = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    ties = np.append((numbers[1:] + numbers[:-1]) / 2, 65520.0)
    points = np.concatenate([numbers, ties]).astype(np.float32)
    values = np.concatenate(
        [points, np.nextafter(points, np.float32(np.inf)), np.nextafter(points, np.float32(0))]
    )
    values = np.concatenate([values, -values, [np.float32(np.inf), np.float32(-np.inf)]])
    got = np.empty_like(values)
    _half_all(values, got)
    with np.errstate(over="ignore"):
        want = values.astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(got.view(np.uint32), want.view(np.uint32))
    exact = [law_encode(Fraction(float(v)), "fp16", overflow="inf") for v in points[::97]]
    assert [int(v) for v in half(points[::97]).astype(np.float16).view(np.uint16)] == exact


def test_exact_sums_plus_c_are_rounded_once() -> None:
    rng = np.random.default_rng(320)
    a, b = codes(321, "int8", (6, 3000)), codes(322, "int8", (7, 3000))
    sums = matmul(a, b, a_fmt="int8", b_fmt="int8", acc=Accumulator.exact(63))
    c = np.ldexp(rng.standard_normal((6, 7)), rng.integers(-10, 40, (6, 7))).astype(np.float32)
    c[0, :4] = (-0.0, np.inf, np.nan, -sums[0, 3])
    got = matmul(a, b, a_fmt="int8", b_fmt="int8", acc=Accumulator.exact(63), c=c)
    assert got.dtype == np.float32
    for i in np.ndindex(6, 7):
        if np.isfinite(c[i]):
            exact = int(sums[i]) + Fraction(float(c[i]))
            assert int(got[i].view(np.uint32)) == law_encode(exact, "fp32", overflow="inf"), i
    assert got[0, 1] == np.inf
    assert int(got[0, 2].view(np.uint32)) == 0x7FC00000
    assert int(got[0, 3].view(np.uint32)) == 0


def test_exact_sums_of_scaled_formats_plus_c_are_rounded_once() -> None:
    third = get("e2m1").scaled(Fraction(11184811, 1 << 25))  # 24 bits
    a = codes(324, "e2m1", (3, 50))
    sums = matmul(a, a, a_fmt=third, b_fmt=third, acc=Accumulator.exact())
    c = np.array([[0.1, 1e-9, 1e9]] * 3, np.float32)
    got = matmul(a, a, a_fmt=third, b_fmt=third, acc=Accumulator.exact(), c=c)
    for i in np.ndindex(3, 3):
        exact = int(sums[i]) * third.step**2 + Fraction(float(c[i]))
        assert int(got[i].view(np.uint32)) == law_encode(exact, "fp32"), i


def test_sums_beyond_float64_plus_c_are_rounded_once() -> None:
    wide = Format("e5m0", 5, 0, bias=1)  # 0, 1, 2, 4, ... in units; too wide for an exact operand
    narrow = Format("e4m0", 4, 0, bias=1)  # up to 2^14 units
    with pytest.raises(ValueError, match="expected an operand format"):
        matmul(
            codes(0, "e2m1", (1, 2)),
            codes(0, "e2m1", (1, 2)),
            a_fmt=wide,
            b_fmt=wide,
            acc=Accumulator.exact(),
        )
    rng = np.random.default_rng(323)
    a = np.full((1, 1 << 21), 15, np.uint8)
    b = np.full((3, 1 << 21), 15, np.uint8)
    b[1, :1000] = rng.integers(0, 32, 1000)
    b[2, -3:] = (1, 2, 17)
    acc = Accumulator.exact(48, "saturate-end")
    c = np.array([[2.0**60, -1.0, 0.5]], np.float32)
    sums = matmul(a, b, a_fmt=narrow, b_fmt=narrow, acc=Accumulator.exact(63))
    got = matmul(a, b, a_fmt=narrow, b_fmt=narrow, acc=Accumulator.exact(63), c=c)
    for n in range(3):
        exact = int(sums[0, n]) + Fraction(float(c[0, n]))
        assert int(got[0, n].view(np.uint32)) == law_encode(exact, "fp32")
    clamped = matmul(a, b, a_fmt=narrow, b_fmt=narrow, acc=acc, c=np.zeros((1, 3), np.float32))
    assert (clamped == 2.0**47).all()


def test_flush_to_zero_changes_nothing() -> None:
    a = np.random.default_rng(330).integers(0, 1 << 16, (9, 40)).astype(np.uint16) & 0x80FF  # BF16, tiny
    c = np.random.default_rng(331).integers(0, 1 << 23, (9, 9)).astype(np.uint32).view(np.float32)
    accs = ("sequential", "exact", "core")
    kinds = (Accumulator.sequential("fp32"), Accumulator.exact_plus_c("bf16"), PRESETS["hopper-f16"])
    options = {"a_fmt": "bf16", "b_fmt": "bf16", "c": c}
    plain = [matmul(a, a, acc=acc, **options) for acc in kinds]
    assert any(np.any((x != 0) & (np.abs(x) < 2.0**-126)) for x in plain)
    if not torch.set_flush_denormal(True):
        raise RuntimeError("this processor has no flush-to-zero mode to test against")
    try:
        flushed = [matmul(a, a, acc=acc, **options).view(np.uint32) for acc in kinds]
    finally:
        torch.set_flush_denormal(False)
    for name, x, y in zip(accs, plain, flushed, strict=True):
        assert (x.view(np.uint32) == y).all(), name


@pytest.mark.parametrize(
    "acc",
    [
        Accumulator.sequential("fp16"),
        Accumulator.sequential("fp16", scale="e8m0", block=32),
        Accumulator.exact_plus_c(),
        PRESETS["rtx-blackwell-nvfp4"],
    ],
    ids=["half", "general", "exact-plus-c", "nvfp4"],
)
def test_a_large_product_needs_little_memory(acc: Accumulator) -> None:
    # 16 of the 1024 rows: time goes with the rows; what must not grow is the other operand's part.
    a, b = codes(340, "e2m1", (16, 4608)), codes(341, "e2m1", (1152, 4608))
    scales = {}
    if acc.scale is not None:
        blocks = 4608 // acc.block
        scales = {
            "a_scale": np.full((16, blocks), 56, np.uint8),
            "b_scale": np.full((1152, blocks), 56, np.uint8),
        }
    matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=acc, **scales)
    tracemalloc.start()
    matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=acc, **scales)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rest = (
        1024 // 16 * 16 * (4608 * 8 + 3 * 1152 * 8)
    )  # the left operand in float64, sums, result: all 1024 rows
    assert peak + rest < 200e6, f"peak {peak / 1e6:.0f} MB for 16 rows"


def test_bad_arguments_are_named() -> None:
    x = np.zeros((2, 16), np.uint8)
    nvfp4 = PRESETS["rtx-blackwell-nvfp4"]
    good = np.zeros((2, 1), np.uint8)
    fp16 = Accumulator.sequential("fp16")
    cases: list[tuple[str, dict[str, Any]]] = [
        ("acc='fp16': expected an Accumulator", {"acc": "fp16"}),
        ("a_scale=None: expected ue4m3 codes", {"acc": nvfp4}),
        (r"b_scale.shape=\(2, 2\): expected \(2, 1\)",
         {"acc": nvfp4, "a_scale": good, "b_scale": np.zeros((2, 2), np.uint8)}),
        ("b_fmt.scale=3: expected a power of two; take b_fmt.scaled",
         {"acc": fp16, "b_fmt": get("e2m1").scaled(3.0)}),
        ("a_fmt.scale=2: expected 1 under an aligned", {"acc": nvfp4, "a_fmt": get("e2m1").scaled(2.0)}),
        ("a_scale holds 200", {"acc": nvfp4, "a_scale": good + np.uint8(200), "b_scale": good}),
        ("a_scale: expected None", {"acc": fp16, "a_scale": good}),
        ("b_scale: expected None, since an exact", {"acc": Accumulator.exact(), "b_scale": good}),
        (r"c.shape=\(2, 3\): expected \(2, 2\)", {"acc": fp16, "c": np.zeros((2, 3), np.float32)}),
        ("c.dtype=float64: expected float32", {"acc": fp16, "c": np.zeros((2, 2))}),
        (r"b.shape=\(2, 15\): expected \(N, 16\)", {"acc": fp16, "b": np.zeros((2, 15), np.uint8)}),
        ("a.dtype=uint8: expected uint16", {"acc": fp16, "a_fmt": "bf16"}),
        ("a_fmt='fp32': expected a float or integer", {"acc": fp16, "a_fmt": "fp32"}),
        ("a holds 16", {"acc": fp16, "a": x + np.uint8(16)}),
        ("c holds NaN or an infinity",
         {"acc": Accumulator.sequential("e4m3"), "c": np.full((2, 2), np.inf, np.float32)}),
        ("b holds NaN or an infinity: expected finite numbers for e4m3",
         {"acc": Accumulator.sequential("e4m3"), "b_fmt": "e4m3", "b": np.full((2, 16), 127, np.uint8)}),
        ("expected float formats with group=1", {"acc": PRESETS["hopper-f8"], "a_fmt": "int4"}),
        ("integer_bits=4: products of e2m1 and e2m1 reach 36",
         {"acc": Accumulator.aligned(fraction_bits=4, integer_bits=4, step=8, c_inside=False)}),
        ("fraction_bits=35: expected fewer", {"acc": nvfp4, "a_fmt": "e4m3", "b_fmt": "e4m3", "a_scale": good,
                                              "b_scale": good}),
    ]  # fmt: skip
    for message, changes in cases:
        arguments: dict[str, Any] = {"a": x, "b": x, "a_fmt": "e2m1", "b_fmt": "e2m1", **changes}
        with pytest.raises(ValueError, match=message):
            matmul(arguments.pop("a"), arguments.pop("b"), **arguments)


def test_empty_products_are_the_start() -> None:
    empty, c = np.zeros((2, 0), np.uint8), np.array([[1, 2049], [-0.0, 3]], np.float32)
    accs = [Accumulator.tree("fp16", 4), Accumulator.exact_plus_c("fp16"), Accumulator.sequential("fp16")]
    for acc in accs:
        got = matmul(empty, empty, a_fmt="e2m1", b_fmt="e2m1", acc=acc, c=c)
        assert got.tolist() == [[1, 2048], [0, 3]]
