"""What HTG (arXiv 2503.06930) decides about one layer before anything is folded or coded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration
from fpsim.quant.cluster import cluster_neighbours
from fpsim.quant.fold import can_fold, fold_inputs
from fpsim.quant.linears import weight_of
from fpsim.quant.shift import Ranges, ScaleRule, channel_scale, group_shifts


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """One layer: T calibrated timesteps, K channels.

    Attributes:
        groups: int64 (T,), the group of each timestep.
        shift: float64 (T, K), the shift of each timestep's group.
        scale: float64 (K,), what the shifted channels are divided by.
        low: float64 (T,), the smallest value after both that each timestep's group was seen with.
        high: float64 (T,), the largest. Never is high = low = 0.
    """

    groups: NDArray[np.int64]
    shift: NDArray[np.float64]
    scale: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def fed(self, rows: NDArray[np.floating], step: NDArray[np.int64]) -> NDArray[np.float64]:
        """Rows (S, K) seen at the given timesteps' indices (S,), as the folded layer is fed them."""
        fed: NDArray[np.float64] = (rows - self.shift[step]) / self.scale
        return fed


def plan_layers(
    model: DiT, calibration: Calibration, *, groups: int, shift: bool, scale: ScaleRule, alpha: float
) -> dict[str, LayerPlan]:
    """A plan for every block linear. Layers that nothing can be folded into keep shift 0 and scale 1.

    Args:
        model: the floating-point model.
        calibration: of this model, T timesteps.
        groups: groups of timesteps of each layer, 1 to T.
        shift: whether channels are shifted.
        scale: the rule of the channel factors, see `channel_scale`.
        alpha: of its moving average.
    """
    plans = {}
    for name, linear in block_linears(model).items():
        ranges = Ranges(calibration.channel_max[name], calibration.channel_min[name])
        foldable = can_fold(model, name)
        plans[name] = _plan(
            ranges,
            weight_of(linear),
            cluster_neighbours(ranges.middle, groups),
            shift and foldable,
            scale if foldable else "none",
            alpha,
        )
    return plans


def _plan(
    ranges: Ranges,
    weight: NDArray[np.float64],
    groups: NDArray[np.int64],
    shifted: bool,
    rule: ScaleRule,
    alpha: float,
) -> LayerPlan:
    shift = group_shifts(ranges.middle, groups)[groups] if shifted else np.zeros(ranges.high.shape)
    scale = channel_scale(ranges, shift, weight, rule, alpha)
    low = ((ranges.low - shift) / scale).min(axis=1)
    high = ((ranges.high - shift) / scale).max(axis=1)
    low = np.array([low[groups == group].min() for group in groups])
    high = np.array([high[groups == group].max() for group in groups])
    high[(low == 0) & (high == 0)] = 1.0
    return LayerPlan(groups, shift, scale, low, high)


def fold_plans(model: DiT, plans: dict[str, LayerPlan], step: int) -> DiT:
    """A copy of the model whose layers are fed what their plans have at a calibrated timestep's index."""
    folded = [name for name in plans if can_fold(model, name)]
    return fold_inputs(
        model,
        {name: plans[name].scale for name in folded},
        {name: plans[name].shift[step] for name in folded},
    )
