"""Shifts and scales that make a layer's channels alike at every timestep (HTG, arXiv 2503.06930).

A channel whose values lie around 5 wastes most of a quantizer that must be symmetric, and where it lies
changes with the timestep. HTG moves each channel by the middle of its range, per group of timesteps, and
divides it by one factor for all timesteps, which the weights take up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ScaleRule = Literal["htg", "llmc", "none"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranges:
    """A layer's calibrated input: T timesteps in sampling order (noisiest first), K channels.

    Attributes:
        high: float (T, K), the largest value of each channel at each timestep.
        low: float (T, K), the smallest.
    """

    high: F32
    low: F32

    @property
    def middle(self) -> F64:
        """Equation 2: float64 (T, K), the middle of each channel's range."""
        return (self.high.astype(np.float64) + self.low) / 2

    def largest(self, shift: F64, steps: list[int] | slice = slice(None)) -> F64:
        """float64 (K,): the largest magnitude of each channel over some timesteps, less `shift` (K,) or
        (steps, K)."""
        high, low = self.high[steps] - shift, self.low[steps] - shift
        result: F64 = np.maximum(np.abs(high), np.abs(low)).max(axis=0)
        return result


def group_shifts(middle: F64, groups: NDArray[np.int64]) -> F64:
    """Equation 4: float64 (G, K), the mean of `middle` (T, K) over each group's timesteps."""
    return np.stack([middle[groups == group].mean(axis=0) for group in range(int(groups[-1]) + 1)])


def moving_average(largest: F64, alpha: float) -> F64:
    """Equation 7's m_1: float64 (K,), the moving average of `largest` (T, K) from the noisiest timestep on.

    m starts as the first row; every further row enters with weight 1 - alpha.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha!r}: expected 0 to 1")
    m: F64 = largest[0].astype(np.float64)
    for row in largest[1:]:
        m = alpha * m + (1 - alpha) * row
    return m


def channel_scale(ranges: Ranges, shift: F64, weight: F64, rule: ScaleRule, alpha: float) -> F64:
    """One factor per channel for all timesteps; what is fed to the layer is divided by it.

    "htg": equation 7, s = sqrt(m / max |W|), m the moving average of the largest |x - z_t|, each timestep
    with its own middle z_t. "llmc": s = m / max m, without the weights, m of |x - z_g| with the group's
    shift, as the public re-implementation of that name has it (which averages the largest over samples,
    where the calibration keeps the largest of all). "none": 1. A channel without signal or weight gets 1,
    which is ours.

    Args:
        ranges: (T, K).
        shift: float64 (T, K), the group's shift at every timestep.
        weight: float64 (N, K).
        rule: see above.
        alpha: of the moving average, 0 to 1.

    Returns:
        float64 (K,), positive.

    Raises:
        ValueError: an unknown rule or an illegal alpha.
    """
    if rule == "none":
        return np.ones(weight.shape[1])
    if rule not in ("htg", "llmc"):
        raise ValueError(f"rule={rule!r}: expected htg, llmc or none")
    around = ranges.middle if rule == "htg" else shift
    m = moving_average(np.maximum(ranges.high - around, around - ranges.low), alpha)
    columns = np.abs(weight).max(axis=0)
    if rule == "llmc":
        return np.where(m > 0, m / m.max(), 1.0) if m.max() > 0 else np.ones_like(m)
    usable = (m > 0) & (columns > 0)
    return np.sqrt(np.where(usable, m, 1.0) / np.where(usable, columns, 1.0))
