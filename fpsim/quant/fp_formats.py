"""Which 4-bit float a layer's weights get: the hybrid part of HQ-DiT (arXiv 2405.19751, section 3.3).

More exponent bits reach further down, more significand bits are finer near the top. The paper chooses by the
statistic r = max |W| / quantile(|W|, alpha): how far down the bulk of the weights lies. It gives neither
alpha nor the thresholds. Ours: alpha = 0.25, the median of r over output channels, taken of the weights as
they are coded (after the rotation), and thresholds fitted to the smallest squared error on synthetic weights:
6.2 and 23.4 under max scales, 9.4 and 40.3 under clipped ones. `by_error` is what they were fitted to.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fpsim.quant.clipping import Clipping, clipped_grid, squared_error
from fpsim.quant.scales import OperandChoice

FORMATS = ("e1m2", "e2m1", "e3m0")  # ascending reach
ALPHA = 0.25
THRESHOLDS: dict[Clipping, tuple[float, float]] = {"max": (6.2, 23.4), "mse": (9.4, 40.3)}


def reach(weight: NDArray[np.float64], alpha: float = ALPHA) -> float:
    """r: the median over output channels of max |W| / quantile(|W|, alpha).

    Channels of zeros do not count (1 if there are no others); a channel whose quantile is 0 has r = infinity.

    Args:
        weight: float64 (N, K).
        alpha: 0 to 1.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha!r}: expected 0 to 1")
    magnitude = np.abs(weight[(weight != 0).any(axis=1)])
    if not len(magnitude):
        return 1.0
    with np.errstate(divide="ignore"):
        return float(np.median(magnitude.max(axis=1) / np.quantile(magnitude, alpha, axis=1)))


def by_reach(weight: NDArray[np.float64], thresholds: tuple[float, float], alpha: float = ALPHA) -> str:
    """E1M2 where r is below the first threshold, E2M1 below the second, else E3M0.

    Args:
        weight: float64 (N, K).
        thresholds: ascending.
        alpha: see `reach`.
    """
    if not thresholds[0] <= thresholds[1]:
        raise ValueError(f"thresholds={thresholds!r}: expected them in ascending order")
    r = reach(weight, alpha)
    return FORMATS[int(r >= thresholds[0]) + int(r >= thresholds[1])]


def by_error(
    weight: NDArray[np.float64], choice: OperandChoice, clipping: Clipping, *, hadamard_n: int | None = None
) -> str:
    """The format with the smallest squared error of the coded weights; of equal ones that of shorter reach.

    Args:
        weight: float64 (N, K).
        choice: everything but the format.
        clipping: how each format's scales are chosen.
        hadamard_n: block size of the rows' rotation; None for none.
    """

    def error(fmt: str) -> float:
        grid = clipped_grid(weight, replace(choice, weight_fmt=fmt), clipping, hadamard_n=hadamard_n)
        return float(squared_error(weight, grid).sum())

    return min(FORMATS, key=error)
