"""One option for every item at the least cost within a budget, as an integer program.

Mixed precision is this problem: an item is a layer during a range of timesteps, an option a bit width, the
cost how much the samples change, the spending bits or passes. HiGHS solves it (`scipy.optimize.milp`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RESOLUTION = 1_000_000  # costs are told apart down to this part of the largest difference within an item

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def assign(cost: F64, spend: I64, budget: int) -> I64:
    """Choose one of O options for each of I items: least total cost, total spending within the budget.

    The same input gives the same result. Costs count as integers, in parts of a million of the largest
    difference between two options of an item. Among equal costs the least spending wins, and among those the
    least Σ (item + 1) · option, both counted from 0.

    Args:
        cost: float64 (I, O), finite.
        spend: int64 (I, O), not negative.
        budget: what the chosen options may spend together.

    Returns:
        int64 (I,), 0 to O - 1.

    Raises:
        ValueError: illegal shapes or values, or a budget below what the cheapest options spend.
    """
    if cost.ndim != 2 or not cost.shape[1] or not np.isfinite(cost).all():
        raise ValueError(f"cost: shape {cost.shape}, expected (I, O) finite values, at least one option")
    if spend.shape != cost.shape or spend.dtype != np.int64 or (spend < 0).any():
        raise ValueError(f"spend: {spend.dtype} {spend.shape}, expected int64 {cost.shape} of at least 0")
    least = int(spend.min(axis=1).sum())
    if budget < least:
        raise ValueError(f"budget={budget}: expected at least {least}, what the narrowest options spend")
    items, options = cost.shape
    if not items:
        return np.zeros(0, np.int64)
    unit = int(np.gcd.reduce(spend, axis=None)) or 1
    spent, limit = spend // unit, min(budget, int(spend.max(axis=1).sum())) // unit
    costs = _integer_costs(cost)
    ranks = np.arange(1, items + 1)[:, None] * np.arange(options)
    bounds: list[tuple[I64, int]] = [(spent, limit)]
    for objective in (costs, spent, ranks):
        chosen = _solve(objective, bounds)
        bounds.append((objective, int(_total(objective, chosen))))
    return chosen


def _integer_costs(cost: F64) -> I64:
    above = cost - cost.min(axis=1, keepdims=True)
    largest = float(above.max())
    return (
        np.rint(above / largest * RESOLUTION).astype(np.int64)
        if largest > 0
        else np.zeros(cost.shape, np.int64)
    )


def _total(table: I64, chosen: I64) -> int:
    return int(table[np.arange(len(chosen)), chosen].sum())


def _solve(objective: I64, bounds: list[tuple[I64, int]]) -> I64:
    """The options of least objective, each table in `bounds` added up staying within its limit."""
    # Only mixed precision needs the solver, and it takes its time to import.
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import block_diag

    items, options = objective.shape
    # Sums are integers: half a unit of room takes the solver's tolerance away.
    rows = [LinearConstraint(table.reshape(1, -1), -np.inf, limit + 0.5) for table, limit in bounds]
    one = LinearConstraint(block_diag([np.ones((1, options))] * items, format="csr"), 1, 1)
    result = milp(
        objective.reshape(-1),
        constraints=[one, *rows],
        integrality=np.ones(items * options),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if result.x is None:
        raise RuntimeError(f"milp: {result.message}")
    chosen: I64 = result.x.reshape(items, options).argmax(axis=1)
    for table, limit in bounds:
        if _total(table, chosen) > limit:
            raise RuntimeError(f"milp: a sum of {_total(table, chosen)}, expected at most {limit}")
    return chosen
