"""Channel balancing: factors that move what is hard to quantize between a layer's rows and its weights.

W x = (W / c)(c x) for any factors c per input channel. ViDiT-Q (arXiv 2406.02540) takes SmoothQuant's, and
its two versions write them differently: the earlier divides rows by s = |X|^α / |W|^(1-α) (α .11), the later
multiplies them by cm = |W|^α / |X|^(1-α) (α .88 to .99), |X| and |W| the largest magnitudes of a channel. One
is the other with 1 - α for α. Both are here as what the rows are multiplied with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.quant.shift import moving_average

MOMENTUM = 0.95  # of the earlier version's moving average of |X|
TIMESTEP_ALPHA = 0.11  # its exponent
STATIC_ALPHA = 0.99  # the later version's exponent for PixArt at W4A8

F64 = NDArray[np.float64]


def static_factors(act_max: NDArray[np.floating], weight_max: F64, alpha: float) -> NDArray[np.float32]:
    """cm = |W|^α / |X|^(1-α), what the rows are multiplied with; 1 for a channel without signal or weight.

    Args:
        act_max: float (K,), largest magnitudes of the channels, not negative.
        weight_max: float64 (K,), likewise of the weights' columns.
        alpha: 0 to 1.

    Returns:
        float32 (K,), positive; weights are to be divided by these very numbers.

    Raises:
        ValueError: an illegal alpha, shapes that differ, or values that are negative or not finite.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha!r}: expected 0 to 1")
    if act_max.shape != weight_max.shape or act_max.ndim != 1:
        raise ValueError(f"act_max, weight_max: {act_max.shape}, {weight_max.shape}, expected (K,) twice")
    both = np.stack([act_max.astype(np.float64), weight_max])
    if not np.isfinite(both).all() or (both < 0).any():
        raise ValueError("act_max, weight_max: expected finite magnitudes of at least 0")
    alive = (both > 0).all(axis=0)
    act, weight = np.where(alive, both, 1.0)
    factors: F64 = weight**alpha / act ** (1 - alpha)
    return factors.astype(np.float32)


def timestep_factors(
    act_max: NDArray[np.floating], weight_max: F64, alpha: float = TIMESTEP_ALPHA
) -> NDArray[np.float32]:
    """1/s, s = |X|^α / |W|^(1-α) with |X| averaged over a range of timesteps, as rows are multiplied with it.

    Args:
        act_max: float (T, K), the channels' largest magnitudes at the range's timesteps, noisiest first; they
            enter a moving average with momentum 0.95.
        weight_max: float64 (K,).
        alpha: 0 to 1.
    """
    return static_factors(moving_average(act_max.astype(np.float64), MOMENTUM), weight_max, 1 - alpha)
