"""Who gets the bits: ViDiT-Q's metric-decoupled assignment, plain MSE, and the released configuration.

Decoupled (arXiv 2406.02540): the budget is split between layer groups by the error of the output, and inside
a group the layers compete by the group's own metric. The paper raises the most sensitive layers first; here
both stages are integer programs (ours), solved exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fpsim.dit.hooks import layer_group
from fpsim.quant.assignment import assign
from fpsim.quant.mixed_assignment import Assignment, Budget, LayerSize, spending
from fpsim.quant.sensitivity import Sensitivity
from fpsim.quant.sensitivity_quality import measure_of
from fpsim.quant.viditq_layer import Width

Rule = Literal["decoupled", "mse"]
RULES: tuple[Rule, ...] = get_args(Rule)

NARROW, WIDE = Width(4, 8), Width(8, 8)
RELEASED_BLOCK = 23  # whose temporal attention the released configuration keeps at 8 bits in the last range


def plan(
    sensitivity: Sensitivity, budget: Budget, sizes: Mapping[str, LayerSize], rule: Rule = "decoupled"
) -> Assignment:
    """Widths for all layers and ranges within a budget.

    Args:
        sensitivity: of every layer, range and width.
        budget: for all layers and sampler steps together.
        sizes: of the layers.
        rule: "mse": the least sum of the samples' squared errors. "decoupled": each group of layers gets what
            "mse" would let it spend, and spends it on the least sum of changes in its own metric.

    Raises:
        ValueError: an unknown rule, or a budget below the narrowest widths.
    """
    if rule not in RULES:
        raise ValueError(f"rule={rule!r}: expected one of {', '.join(RULES)}")
    layers, ranges, widths = sensitivity.layers, sensitivity.ranges, sensitivity.widths
    spend, limit = spending(budget, layers, ranges, widths, sizes)
    items = np.arange(len(spend))
    chosen = assign(_costs(sensitivity.mean("mse")), spend, limit)
    if rule == "decoupled":
        groups = np.repeat([layer_group(name) for name in layers], len(ranges))
        by_mse = chosen.copy()
        for group in dict.fromkeys(layer_group(name) for name in layers):
            own = items[groups == group]
            cost = _costs(sensitivity.mean(measure_of(group, sensitivity.measures)))[own]
            chosen[own] = assign(cost, spend[own], int(spend[own, by_mse[own]].sum()))
    rows = chosen.reshape(len(layers), len(ranges))
    return Assignment(layers, ranges, tuple(tuple(widths[option] for option in row) for row in rows))


def _costs(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return mean.reshape(-1, mean.shape[-1])


def released(layers: tuple[str, ...], ranges: tuple[tuple[int, ...], ...]) -> Assignment:
    """The released W4A8-MP configuration, found "by heuristic decision": 8 bits for everything in the first
    range, for fc1 and fc2 always, for the temporal attention of block 23 in the last range; 4 bits elsewhere.
    """

    def wide(name: str, index: int) -> bool:
        late = index == len(ranges) - 1 and name.startswith(f"blocks.{RELEASED_BLOCK}.attn_temp.")
        return index == 0 or name.rpartition(".")[2] in ("fc1", "fc2") or late

    rows = [[WIDE if wide(name, i) else NARROW for i in range(len(ranges))] for name in layers]
    return Assignment(layers, ranges, tuple(map(tuple, rows)))
