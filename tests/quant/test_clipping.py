"""Clipping ranges and formats: nothing on the searched grid is better, and the statistic finds the format."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.formats import get
from fpsim.quant.clipping import Clipping, clipped_grid, squared_error
from fpsim.quant.fp_formats import FORMATS, THRESHOLDS, by_error, by_reach, reach
from fpsim.quant.scales import OperandChoice, top_level, weight_grid


def gaussian(seed: int, n: int = 12, k: int = 256) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, k))


@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "e1m2", "int4", "int8"])
def test_max_clipping_maps_the_largest_weight_to_the_largest_level(fmt: str) -> None:
    weight = gaussian(1)
    grid = clipped_grid(weight, OperandChoice("e2m1", fmt), "max", hadamard_n=32)
    assert grid.step * top_level(get(fmt)) == pytest.approx(np.abs(weight).max(axis=1), rel=2.0**-11)


@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "e1m2"])
def test_no_ratio_of_the_search_has_a_smaller_error(fmt: str) -> None:
    weight, choice = gaussian(2), OperandChoice("e2m1", fmt)
    error = squared_error(weight, clipped_grid(weight, choice, "mse"))
    widest = weight_grid(weight, choice).step
    for ratio in np.linspace(0.4, 1, 61):
        assert (
            error <= squared_error(weight, weight_grid(weight, choice, scale=widest * ratio)) * (1 + 1e-9)
        ).all()
    assert error.sum() < squared_error(weight, weight_grid(weight, choice)).sum()


@pytest.mark.parametrize(
    ("fmt", "clipping", "decibel"),
    [
        ("e1m2", "max", 16.8),
        ("e2m1", "max", 18.75),
        ("e3m0", "max", 14.2),
        ("e1m2", "mse", 18.9),
        ("e2m1", "mse", 19.2),
        ("e3m0", "mse", 14.5),
    ],
)
def test_gaussian_weights_keep_as_much_as_the_study_says(
    fmt: str, clipping: Clipping, decibel: float
) -> None:
    """Rows of 1152 Gaussian weights under a scale of their own: synthetic figures of the method's study."""
    weight = gaussian(3, 32, 1152)
    error = squared_error(weight, clipped_grid(weight, OperandChoice("e2m1", fmt), clipping)).sum()
    assert 10 * np.log10(np.square(weight).sum() / error) == pytest.approx(decibel, abs=0.25)


def test_one_clipping_for_the_tensor_where_it_has_one_scale() -> None:
    grid = clipped_grid(gaussian(4), OperandChoice("e2m1", "e2m1", "tensor"), "mse")
    assert len(set(grid.step.tolist())) == 1


def test_reach_is_the_median_ratio_of_the_largest_weight_to_the_quantile() -> None:
    weight = np.array([[1.0, 2, 3, 4, 8], [1, -1, 1, 1, -40], [0, 0, 0, 0, 0], [2, 2, 2, 2, 2]])
    assert reach(weight, 0.25) == 4  # ratios 8 / 2, 40 / 1, 2 / 2; the row of zeros does not count
    assert reach(weight, 0.0) == 8
    assert reach(np.zeros((2, 3))) == 1
    assert reach(np.array([[0.0, 0, 0, 1]])) == np.inf


@pytest.mark.parametrize("clipping", ["max", "mse"])
def test_the_statistic_mostly_agrees_with_the_smallest_error(clipping: Clipping) -> None:
    """Uniform, Gaussian, Laplace and Student weights: E1M2 for the first, E3M0 for the longest tails."""
    rng = np.random.default_rng(5)
    choice, agreed, chosen = OperandChoice("e2m1"), [], set()
    for k in (96, 384, 1152):
        for draw in (
            lambda shape: rng.uniform(-1, 1, shape),
            rng.standard_normal,
            lambda shape: rng.laplace(size=shape),
            lambda shape: rng.standard_t(5, shape),
            lambda shape: rng.standard_t(2, shape),
        ):
            weight = draw((24, k))
            best = by_error(weight, choice, clipping)
            chosen.add(best)
            agreed.append(best == by_reach(weight, THRESHOLDS[clipping]))
    assert chosen == set(FORMATS)
    assert np.mean(agreed) >= 0.8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: clipped_grid(gaussian(0), OperandChoice(), "best"),
            "clipping='best': expected one of max, mse",
        ),  # type: ignore[arg-type]
        (lambda: reach(gaussian(0), 1.5), "alpha=1.5: expected 0 to 1"),
        (lambda: by_reach(gaussian(0), (9.0, 3.0)), "thresholds=.9.0, 3.0.: expected them in ascending"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call()
