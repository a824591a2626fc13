"""GPTQ against its own textbook form, and against rounding to nearest on what it was calibrated for."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.formats import get
from fpsim.kernels.cast import decode, encode
from fpsim.quant.gptq import QuantizeColumn, gptq, inverse_factor, second_moments

Matrix = NDArray[np.float64]


def rows_of(seed: int, count: int, k: int) -> Matrix:
    """Correlated channels of very different sizes, as a layer sees them."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, k)) @ rng.standard_normal((k, k)) * np.exp(rng.normal(0, 1, k))


def grid(weight: Matrix, fmt: str) -> QuantizeColumn:
    """Nearest values of a 4-bit format under one max scale per row."""
    scale = np.abs(weight).max(axis=1) / float(get(fmt).max_value)

    def nearest(column: Matrix, _k: int) -> Matrix:
        values: Matrix = decode(encode((column / scale).astype(np.float32), fmt), fmt) * scale
        return values

    return nearest


def textbook(weight: Matrix, hessian: Matrix, quantize: QuantizeColumn, damping: float) -> Matrix:
    """Optimal brain quantization, one column at a time: the inverse is computed anew for what is left.

    Equations 2 and 3 of arXiv 2210.17323 with F the columns k and later.
    """
    left, result = weight.copy(), np.zeros_like(weight)
    damped = hessian + damping * np.trace(hessian) / len(hessian) * np.eye(len(hessian))
    for k in range(weight.shape[1]):
        inverse = np.linalg.inv(damped[k:, k:])
        result[:, k] = quantize(left[:, k], k)
        left[:, k:] -= np.outer((left[:, k] - result[:, k]) / inverse[0, 0], inverse[0])
    return result


def output_error(weight: Matrix, quantized: Matrix, rows: Matrix) -> float:
    return float(np.square(rows @ (weight - quantized).T).sum())


@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "int4"])
@pytest.mark.parametrize("seed", range(4))
def test_it_gives_the_values_of_the_textbook_column_loop(fmt: str, seed: int) -> None:
    rows = rows_of(seed, 80, 24)
    weight = np.random.default_rng(seed + 50).standard_normal((10, 24))
    quantize, hessian = grid(weight, fmt), second_moments(rows)
    for damping in (0.01, 0.3):
        expected = textbook(weight, hessian, quantize, damping)
        assert (gptq(weight, hessian, quantize, damping=damping, block=7) == expected).all()
        assert (expected != np.stack([quantize(w, 0) for w in weight.T], axis=1)).any()


@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "e1m2"])
def test_its_output_error_is_below_that_of_rounding_to_nearest(fmt: str) -> None:
    ratios = []
    for seed in range(20):
        rows = rows_of(seed, 200, 32)
        weight = np.random.default_rng(seed + 90).standard_normal((16, 32))
        quantize = grid(weight, fmt)
        nearest = np.stack([quantize(w, 0) for w in weight.T], axis=1)
        found = gptq(weight, second_moments(rows), quantize)
        ratios.append(output_error(weight, found, rows) / output_error(weight, nearest, rows))
    assert np.mean(ratios) < 0.7
    assert np.mean([ratio < 1 for ratio in ratios]) > 0.9


def test_uncorrelated_channels_of_one_size_are_rounded_to_nearest() -> None:
    weight = np.random.default_rng(1).standard_normal((5, 12))
    quantize = grid(weight, "e2m1")
    found = gptq(weight, np.eye(12) * 3.0, quantize)
    assert (found == np.stack([quantize(w, 0) for w in weight.T], axis=1)).all()


def test_the_factor_is_that_of_the_inverse() -> None:
    hessian = second_moments(rows_of(3, 60, 40)) + 0.1 * np.eye(40)
    factor = inverse_factor(hessian)
    assert (np.tril(factor, -1) == 0).all()
    assert (np.diagonal(factor) > 0).all()
    assert factor == pytest.approx(np.linalg.cholesky(np.linalg.inv(hessian)).T, rel=1e-6, abs=1e-9)


def test_the_block_size_changes_no_bit() -> None:
    rows, weight = rows_of(4, 90, 33), np.random.default_rng(4).standard_normal((7, 33))
    hessian = second_moments(rows)
    results = [gptq(weight, hessian, grid(weight, "e2m1"), block=block) for block in (1, 5, 128)]
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()


def test_second_moments_are_exact_sums_of_rounded_rows() -> None:
    """Any order of the rows gives the same bits, and the fixed point costs less than float32 did."""
    rows = rows_of(5, 300, 16).astype(np.float32)
    moments = second_moments(rows)
    shuffled = np.random.default_rng(0).permutation(300)
    assert (second_moments(rows[shuffled]) == moments).all()
    exact = 2 / 300 * rows.astype(np.float64).T @ rows.astype(np.float64)
    assert np.abs(moments - exact).max() < 2.0**-20 * np.abs(exact).max()
    assert (moments == moments.T).all()


def test_codes_do_not_depend_on_the_number_of_threads() -> None:
    program = (
        "import hashlib, numpy as np\n"
        "from fpsim.quant.gptq import gptq, second_moments\n"
        "rng = np.random.default_rng(0)\n"
        "rows, weight = rng.standard_normal((2048, 200)), rng.standard_normal((40, 200))\n"
        "found = gptq(weight, second_moments(rows), lambda column, k: np.rint(column * 4) / 4)\n"
        "print(hashlib.sha256(found.tobytes()).hexdigest())\n"
    )
    digests = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_a_dead_channel_is_rounded_to_nearest_and_disturbs_nothing() -> None:
    rows = rows_of(6, 70, 20)
    rows[:, 8] = 0
    weight = np.random.default_rng(6).standard_normal((9, 20))
    quantize = grid(weight, "e2m1")
    found = gptq(weight, second_moments(rows), quantize)
    assert (found[:, 8] == quantize(weight[:, 8], 8)).all()
    # Less damping of the living channels only because the mean counts the dead one too.
    alive = np.delete(np.arange(20), 8)
    without = gptq(weight[:, alive], second_moments(rows[:, alive]), quantize, damping=0.01 * 19 / 20)
    assert (found[:, alive] == without).all()


def test_a_singular_hessian_is_damped() -> None:
    """Three rows for twenty channels: H has rank 3. With nothing seen at all it is zero."""
    ratios = []
    for seed in range(10):
        rows, weight = rows_of(seed, 3, 20), np.random.default_rng(seed).standard_normal((9, 20))
        quantize, hessian = grid(weight, "e2m1"), second_moments(rows)
        assert np.linalg.matrix_rank(hessian) == 3
        nearest = np.stack([quantize(w, 0) for w in weight.T], axis=1)
        found = gptq(weight, hessian, quantize)
        ratios.append(output_error(weight, found, rows) / output_error(weight, nearest, rows))
        assert (found == textbook(weight, hessian, quantize, 0.01)).all()
        assert (gptq(weight, np.zeros((20, 20)), quantize) == nearest).all()
    assert np.mean(ratios) < 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w, h: gptq(w, h[:3], lambda c, _k: c), r"weight, hessian: \(2, 4\), \(3, 4\), expected"),
        (lambda w, h: gptq(w * np.nan, h, lambda c, _k: c), "expected finite"),
        (lambda w, h: gptq(w, h, lambda c, _k: c, damping=0), "damping=0: expected a positive"),
        (lambda w, h: gptq(w, h, lambda c, _k: c, block=0), "block=0: expected at least 1"),
        (lambda w, h: gptq(w, h - 5 * np.eye(4), lambda c, _k: c), "pivot 3 is .*positive definite"),
        (lambda w, h: second_moments(w[:0]), r"rows: shape \(0, 4\), expected"),
        (lambda w, h: second_moments(w + np.inf), "rows: .*finite"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call(np.ones((2, 4)), np.eye(4))
