"""Stochastic sums at scale: FP16 worked in numpy's integers, tiles of outputs, and named refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fpsim import matmul
from fpsim.formats import Accumulator

HALVES = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], np.int64)  # E2M1
FP16 = Accumulator.sequential("fp16", "stochastic")


def operands(seed: int, rows: int, columns: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return tuple(rng.integers(0, 16, (n, depth), dtype=np.uint8) for n in (rows, columns))  # type: ignore[return-value]


def fp16_of_quarters(units: np.ndarray, random: np.ndarray, nbits: int) -> np.ndarray:
    """Integers rounded to 11 bits: dropped bits, cut to nbits, plus random ones carry into the rest."""
    size = np.abs(units)
    drop = np.maximum(np.frexp(size.astype(np.float64))[1] - 11, 0)
    kept, rest = size >> drop, size & ((1 << drop) - 1)
    up = ((rest << nbits) >> drop) + random >> nbits
    return np.sign(units) * ((kept + up) << drop)


@pytest.mark.parametrize(("dtype", "nbits"), [(np.uint8, 3), (np.uint16, 16), (np.uint32, 32), (np.int64, 9)])
def test_fp16_sums_are_those_of_integers(dtype: Any, nbits: int) -> None:
    a, b = operands(500, 5, 300, 400)
    a, b = a & 7, b & np.where(np.arange(400) % 5, 7, 15).astype(np.uint8)  # mostly positive: sums grow
    random = np.random.default_rng(501).integers(0, 1 << nbits, (5, 300, 400)).astype(dtype)
    total = np.zeros((5, 300), np.int64)
    for k in range(400):
        exact = total + np.multiply.outer(HALVES[a[:, k]], HALVES[b[:, k]])
        total = fp16_of_quarters(exact, random[:, :, k].astype(np.int64), nbits)
    got = matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=FP16, random_bits=(random, nbits))
    np.testing.assert_array_equal(got, (total / 4).astype(np.float32))
    nearest = matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=Accumulator.sequential("fp16"))
    assert (got != nearest).any()


@pytest.mark.parametrize(
    "acc",
    [FP16, Accumulator.tree("bf16", 8, "stochastic"), Accumulator.exact_plus_c("e5m2", "stochastic", step=8)],
)
def test_tiles_of_outputs_are_the_whole(acc: Accumulator) -> None:
    a, b = operands(502, 4, 9, 33)
    shape = (4, 9, acc.roundings(33))
    random = np.random.default_rng(503).integers(0, 1 << 12, shape).astype(np.uint16)
    formats = {"a_fmt": "e2m1", "b_fmt": "e2m1", "acc": acc}
    whole = matmul(a, b, **formats, random_bits=(random, 12))
    for rows in (slice(0, 1), slice(1, 4)):
        for columns in (slice(0, 5), slice(5, 9)):
            tile = matmul(a[rows], b[columns], **formats, random_bits=(random[rows, columns], 12))
            np.testing.assert_array_equal(tile, whole[rows, columns])


def test_no_random_bits_are_needed_to_add_nothing() -> None:
    empty, c = np.zeros((2, 0), np.uint8), np.array([[1, 2048], [-0.0, np.inf]], np.float32)
    random = (np.zeros((2, 2, 0), np.uint8), 8)
    got = matmul(empty, empty, a_fmt="e2m1", b_fmt="e2m1", acc=FP16, c=c, random_bits=random)
    np.testing.assert_array_equal(got.view(np.uint32), c.view(np.uint32))


def test_bad_random_bits_are_named() -> None:
    x = np.full((2, 3), 7, np.uint8)
    good = np.zeros((2, 2, 3), np.uint8)
    cases: list[tuple[Accumulator, dict[str, Any], str]] = [
        (FP16, {}, "random_bits=NoneType: rounding='stochastic' expects a pair"),
        (FP16, {"random_bits": good}, "random_bits=ndarray: rounding='stochastic' expects a pair"),
        (FP16, {"random_bits": (good, 0)}, "random_bits count=0: expected an integer from 1 to 32"),
        (Accumulator.sequential("fp32", "stochastic"), {"random_bits": (good, 28)}, "integer from 1 to 27"),
        (FP16, {"random_bits": (good[:, :, :2], 8)}, r"shape=\(2, 2, 2\): expected \(2, 2, 3\)"),
        (FP16, {"random_bits": (good.astype(np.float32), 8)}, "random_bits.dtype=float32: expected uint8"),
        (
            FP16,
            {"random_bits": (good + np.uint8(16), 4)},
            "random_bits holds 16: expected values from 0 to 15",
        ),
        (Accumulator.sequential("fp16"), {"random_bits": (good, 8)}, "expected None with rounding='rne'"),
        (Accumulator.exact(), {"random_bits": (good, 8)}, "expected None, since an exact accumulator"),
        (
            FP16,
            {"random_bits": (good, 8), "c": np.full((2, 2), 2049, np.float32)},
            "c holds 2049.0: expected num",
        ),
    ]
    for acc, options, message in cases:
        with pytest.raises(ValueError, match=message):
            matmul(x, x, a_fmt="e2m1", b_fmt="e2m1", acc=acc, **options)
