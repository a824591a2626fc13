"""One rounding of the exact sum, against fractions rounded by Python."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.kernels.epilogue import epilogue
from tests.kernels.reference import fp16_round, tf32_value


def check(acc: list[int], rho: list[int], col: list[int], bias: list[int]) -> int:
    """Compare element by element (each its own row and column) with the exact sum; returns the count."""
    columns = np.array(bias, np.uint16)
    biases = columns.view(np.float16).astype(float).tolist()
    for i, (a, r, c, b) in enumerate(zip(acc, rho, col, biases, strict=True)):
        got = epilogue(
            np.array([[a]], np.int64), np.array([r], np.uint32), np.array([c], np.uint32), columns[i : i + 1]
        )
        exact = a * tf32_value(r) * tf32_value(c) + Fraction(b)
        want = fp16_round(exact)
        assert int(got[0, 0]) == want, (
            f"acc={a} rho={r:#x} col={c:#x} bias={b}: {got[0, 0]:#x}, not {want:#x}"
        )
    return len(acc)


def grid(acc: NDArray[np.int64], rho: list[int], col: list[int], bias: list[int]) -> int:
    """The same for all columns of all rows at once."""
    got = epilogue(acc, np.array(rho, np.uint32), np.array(col, np.uint32), np.array(bias, np.uint16))
    offsets = [Fraction(float(b)) for b in np.array(bias, np.uint16).view(np.float16)]
    for m, r in enumerate(map(tf32_value, rho)):
        for n, c in enumerate(map(tf32_value, col)):
            want = fp16_round(int(acc[m, n]) * r * c + offsets[n])
            assert int(got[m, n]) == want, (acc[m, n], hex(rho[m]), hex(col[n]), hex(bias[n]))
    return got.size


def tf32(exp: int, significand: int = 1024) -> int:
    """TF32 code of significand · 2^(exp - 10), significand 1024 to 2047."""
    return ((exp + 127) << 10) | (significand - 1024)


def test_random_sums_over_the_whole_range_of_fp16() -> None:
    rng = np.random.default_rng(8)
    rows, cols = 120, 120
    acc = rng.integers(-(2**25), 2**25, (rows, cols)) >> rng.integers(0, 25, (rows, cols))
    rho = [
        tf32(int(e), int(s))
        for e, s in zip(rng.integers(-30, 4, rows), rng.integers(1024, 2048, rows), strict=True)
    ]
    rho[0] = 0
    col = [
        tf32(int(e), int(s))
        for e, s in zip(rng.integers(-20, 4, cols), rng.integers(1024, 2048, cols), strict=True)
    ]
    bias = (rng.integers(0, 0x7C00, cols) | (rng.integers(0, 2, cols) << 15)).tolist()
    assert grid(acc, rho, col, bias) == 14_400


def test_every_exponent_of_both_scales() -> None:
    """From far below half of the smallest step to far beyond the largest number."""
    fields = range(-126, 128)
    rho = [tf32(e, 1024 + (7 * e) % 1024) for e in fields]
    for value in (1, -1, 2**40, -(2**40), 2**40 - 1, 12345):
        acc = np.full((254, 11), value, np.int64)
        col = [tf32(e, 1993) for e in (-126, -100, -60, -26, -25, -24, 0, 20, 60, 100, 127)]
        bias = [0, 0x8000, 1, 0x8001, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF, 0, 0x8400, 0x3555]
        assert grid(acc, rho, col, bias) == 254 * 11


def test_midpoints_of_fp16_and_the_smallest_step_beside_them() -> None:
    """acc · 2^e equals every kind of midpoint, or lies one accumulator step off it, with and without bias."""
    acc, rho, col, bias = [], [], [], []
    for exp in range(-24, 16):
        for significand in (1, 2, 3, 1023, 1024, 1025, 2046, 2047):
            for extra in (1, 4, 13):  # bits below the last place
                middle = (2 * significand + 1) << (extra - 1)
                for delta in (-1, 0, 1):
                    for sign in (-1, 1):
                        for b in (0, 0x0001, 0x8001, 0x6400, 0xE400):
                            acc.append(sign * (middle + delta))
                            rho.append(tf32(exp))
                            col.append(tf32(-extra))
                            bias.append(b)
    assert check(acc, rho, col, bias) == 40 * 8 * 3 * 3 * 2 * 5


def test_saturation_begins_at_65520_and_the_tie_stays_finite() -> None:
    bias = [0x7BFF, 0x7BFF, 0x7BFF, 0xFBFF, 0x0000, 0x0000]
    acc = [15, 16, 17, -16, 65519, 1 << 39]
    one = [tf32(0)] * 6
    got = [
        epilogue(
            np.array([[a]]),
            np.array(one[:1], np.uint32),
            np.array(one[:1], np.uint32),
            np.array([b], np.uint16),
        )
        for a, b in zip(acc, bias, strict=True)
    ]
    assert [int(y[0, 0]) for y in got] == [0x7BFF, 0x7BFF, 0x7BFF, 0xFBFF, 0x7BFF, 0x7BFF]
    assert check(acc, one, one, bias) == 6


def test_cancellation_leaves_the_last_bit() -> None:
    """acc · rho · col is a bias plus a sliver far below FP16's last place."""
    acc, rho, col, bias = [], [], [], []
    for b in (0x3C00, 0x0400, 0x0001, 0x7BFF, 0x1234):
        units = int(Fraction(float(np.uint16(b).view(np.float16))) * 2**24)
        for sliver in (-3, -1, 0, 1, 3):
            for shift in range(1, 0 if units > 2**38 else 3):
                acc.append((units << shift) + sliver)
                rho.append(tf32(-24))
                col.append(tf32(-shift))
                bias.append(b | 0x8000)
        for exp in (-26, -27, -60):
            acc += [units << 1, 1, -1]
            rho += [tf32(-25), tf32(exp), tf32(exp)]
            col += [tf32(0)] * 3
            bias += [b | 0x8000] * 3
    assert check([max(min(a, 2**40), -(2**40)) for a in acc], rho, col, bias) == len(acc) == 85


def test_zeros() -> None:
    """An exact sum of zero is +0 whatever its parts; a negative sum that rounds to zero is -0."""
    one, tiny = tf32(0), tf32(-100)
    cases = [
        (0, one, 0x8000, 0x0000),
        (0, one, 0x0000, 0x0000),
        (-1, 0, 0x8000, 0x0000),
        (5, one, 0xC500, 0x0000),
        (-1, tiny, 0x0000, 0x8000),
        (1, tiny, 0x8000, 0x0000),
        (-1, tf32(-25), 0x0000, 0x8000),
        (-1, tf32(-25, 1025), 0x0000, 0x8001),
    ]
    for acc, rho, bias, want in cases:
        y = epilogue(
            np.array([[acc]], np.int64), np.array([rho], np.uint32), np.array([one], np.uint32),
            np.array([bias], np.uint16),
        )  # fmt: skip
        assert int(y[0, 0]) == want, (acc, rho, bias)


def test_a_double_rounding_would_differ() -> None:
    """Just above a midpoint of FP16 by less than float32 or float64 resolve: only one rounding goes up."""
    acc = 2049 * 2**28 + 1
    assert check([acc], [tf32(-38)], [tf32(0)], [0]) == 1
    assert math.ldexp(acc, -38) == 2049 / 1024 + 2**-38
    exact = epilogue(
        np.array([[acc]]),
        np.array([tf32(-38)], np.uint32),
        np.array([tf32(0)], np.uint32),
        np.zeros(1, np.uint16),
    )
    assert int(exact[0, 0]) == int(np.float16(2050 / 1024).view(np.uint16))
    assert np.float16(np.float32(math.ldexp(acc, -38))) == np.float16(2048 / 1024)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"acc": np.array([[2**40 + 1]])}, f"acc holds {2**40 + 1}: expected values from"),
        ({"acc": np.array([[-(2**40) - 1]])}, f"acc holds {-(2**40) - 1}"),
        ({"acc": np.zeros((1, 1), np.int32)}, "acc.dtype=int32: expected int64"),
        ({"row_scale": np.array([1023], np.uint32)}, "row_scale holds 1023"),
        ({"row_scale": np.array([255 << 10], np.uint32)}, "row_scale holds 261120"),
        ({"row_scale": np.zeros(2, np.uint32)}, r"row_scale.shape=\(2,\): expected \(1,\)"),
        ({"col_scale": np.zeros(1, np.uint32)}, "col_scale holds 0"),
        ({"col_scale": np.array([1 << 18 | 1 << 10], np.uint32)}, "col_scale holds 263168"),
        ({"bias": np.array([0xFC00], np.uint16)}, "bias magnitude holds 31744"),
        ({"bias": np.array([0x7E00], np.uint16)}, "bias magnitude holds 32256"),
    ],
)
def test_bad_arguments_are_named(changes: dict[str, object], message: str) -> None:
    arguments = {
        "acc": np.zeros((1, 1), np.int64),
        "row_scale": np.zeros(1, np.uint32),
        "col_scale": np.array([tf32(0)], np.uint32),
        "bias": np.zeros(1, np.uint16),
    }
    with pytest.raises(ValueError, match=message):
        epilogue(**{**arguments, **changes})
