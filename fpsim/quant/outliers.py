"""How far outliers stand out in what the linears are fed, by layer and timestep, and what a rotation leaves.

The papers quantize against two things: channels that are far larger than the others (HQ-DiT, arXiv
2405.19751, section 3.1) and channels whose range moves with the timestep and lies off centre (HTG, arXiv
2503.06930). Both are measured here, in the same figures before and after a Hadamard rotation, on whatever
model and noise are given. Take noise that no recipe was calibrated with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.diffusion import ddim_sample, ddim_timesteps
from fpsim.dit.hooks import BlockModel, block_linears, observe
from fpsim.quant.rotation import random_signs, rotate_columns

# Block size of a rotation; "full": one block as wide as the layer; None: no rotation.
Rotation = int | Literal["full"] | None
SEED = 0

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spread:
    """A matrix of rows and K channels; a standard normal one has skewness 0, kurtosis 3, ratios near 1.

    Attributes:
        rms: float64 (K,), root mean square of each channel.
        high: float64 (K,), its largest value.
        low: float64 (K,), its smallest.
        skewness: third standardized moment of all elements together; 0 if they are all equal.
        kurtosis: fourth standardized moment of all elements together, not the excess; 0 if all are equal.
    """

    rms: F64
    high: F64
    low: F64
    skewness: float
    kurtosis: float

    @property
    def absmax(self) -> F64:
        """float64 (K,), the largest magnitude of each channel."""
        return np.maximum(np.abs(self.high), np.abs(self.low))

    @property
    def rms_ratio(self) -> float:
        """The largest channel RMS over the median one."""
        return _over_median(self.rms)

    @property
    def absmax_ratio(self) -> float:
        """The largest channel magnitude over the median channel's."""
        return _over_median(self.absmax)

    @property
    def off_centre(self) -> float:
        """|middle| / half range of the median channel: 0 if centred, 1 if zero is an end of its range."""
        half = (self.high - self.low) / 2
        middle = np.abs(self.high + self.low) / 2
        return float(np.median(np.divide(middle, half, out=np.zeros_like(half), where=half > 0)))


@dataclass(frozen=True, eq=False)
class LayerOutliers:
    """The input of one layer along the sampling trajectory.

    Attributes:
        name: the block linear.
        rotation: block size of the Hadamard rotation before the measurement, None for none.
        timesteps: the T visited timesteps, in sampling order.
        steps: their T spreads.
        whole: the spread of all timesteps' rows together.
    """

    name: str
    rotation: int | None
    timesteps: tuple[int, ...]
    steps: tuple[Spread, ...]
    whole: Spread

    @property
    def worst_absmax_ratio(self) -> float:
        """The largest over the timesteps of largest over median channel magnitude."""
        return max(step.absmax_ratio for step in self.steps)

    @property
    def drift(self) -> F64:
        """float64 (K,): each channel's largest magnitude at its loudest timestep over that at its quietest.

        Infinite for a channel that is silent at one timestep, 1 for one that always is.
        """
        absmax = np.stack([step.absmax for step in self.steps])
        loud, quiet = absmax.max(axis=0), absmax.min(axis=0)
        ratio = np.divide(loud, quiet, out=np.full_like(loud, np.inf), where=quiet > 0)
        return np.where(loud > 0, ratio, 1.0)


def spread(x: NDArray[np.floating]) -> Spread:
    """Measure rows (R, K), at least one of each.

    Raises:
        ValueError: another shape, or a value that is not finite.
    """
    if x.ndim != 2 or not x.size or not np.isfinite(x).all():
        raise ValueError(f"x: shape {x.shape}, expected (R, K) of at least one finite value")
    return _spread_of([x.astype(np.float64)])


def measure_outliers(
    model: BlockModel,
    noise: Tensor,
    labels: Tensor,
    *,
    rotations: Sequence[Rotation] = (None,),
    steps: int = 20,
    seed: int = SEED,
) -> list[LayerOutliers]:
    """Sample the floating-point model and measure what each block linear is fed.

    Args:
        model: a DiT or a VideoDiT.
        noise: float32 (B, ...), starting noise, best held out from calibration; all in one batch.
        labels: int64 (B, ...), their conditions.
        rotations: what to measure: None for the rows as they are, a block size that divides every layer's K,
            or "full" for each layer's K, of the form 2^k, 12 · 2^k or 36 · 2^k.
        steps: DDIM steps.
        seed: of the rotations' signs, drawn per layer as the recipes draw them.

    Returns:
        Layer by layer in execution order, for each the rotations in the order given.
    """
    widths = {name: linear.in_features for name, linear in block_linears(model).items()}
    plans = {
        name: [k if rotation == "full" else rotation for rotation in rotations] for name, k in widths.items()
    }
    seen: dict[str, list[NDArray[np.float32]]] = {name: [] for name in widths}

    def see(name: str, x: Tensor) -> None:
        seen[name].append(x.detach().reshape(-1, x.shape[-1]).numpy().copy())

    with observe(model, see), torch.inference_mode():
        ddim_sample(model, noise, labels, steps=steps, batch=len(noise))
    result = []
    for name, plan in plans.items():
        for n in plan:
            rows = [_rotated(x.astype(np.float64), n, name, seed) for x in seen[name]]
            each = tuple(_spread_of([x]) for x in rows)
            result.append(LayerOutliers(name, n, ddim_timesteps(steps), each, _spread_of(rows)))
        del seen[name]
    return result


def _rotated(x: F64, n: int | None, name: str, seed: int) -> F64:
    return x if n is None else rotate_columns(x, n, random_signs(x.shape[1], seed, name))


def _spread_of(parts: list[F64]) -> Spread:
    """The spread of all rows of the parts (R, K) together."""
    count = sum(x.size for x in parts)
    mean = sum(float(x.sum()) for x in parts) / count
    second = third = fourth = 0.0
    for x in parts:
        off = x - mean
        square = off * off
        second += float(square.sum()) / count
        third += float((square * off).sum()) / count
        fourth += float((square * square).sum()) / count
    rows = sum(len(x) for x in parts)
    return Spread(
        rms=np.sqrt(np.stack([np.square(x).sum(axis=0) for x in parts]).sum(axis=0) / rows),
        high=np.stack([x.max(axis=0) for x in parts]).max(axis=0),
        low=np.stack([x.min(axis=0) for x in parts]).min(axis=0),
        skewness=third / second**1.5 if second > 0 else 0.0,
        kurtosis=fourth / second**2 if second > 0 else 0.0,
    )


def _over_median(values: F64) -> float:
    """The largest over the median; 1 if all are zero, infinite if only the median is."""
    largest, median = float(values.max()), float(np.median(values))
    if median > 0:
        return largest / median
    return np.inf if largest > 0 else 1.0
