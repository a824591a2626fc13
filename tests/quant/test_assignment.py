"""The integer program against every choice there is, on small cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fpsim.quant.assignment import RESOLUTION, assign


def brute_force(
    cost: np.ndarray,  # type: ignore[type-arg]
    spend: np.ndarray,  # type: ignore[type-arg]
    budget: int,
) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """The first choice in the order that `assign` promises, and its place in that order."""
    above = cost - cost.min(axis=1, keepdims=True)
    units = np.rint(above / max(above.max(), 1e-300) * RESOLUTION).astype(np.int64)

    def order(choice: tuple[int, ...]) -> tuple[int, int, int]:
        return (
            sum(int(units[i, o]) for i, o in enumerate(choice)),
            sum(int(spend[i, o]) for i, o in enumerate(choice)),
            sum((i + 1) * o for i, o in enumerate(choice)),
        )

    choices = itertools.product(range(cost.shape[1]), repeat=len(cost))
    legal = [c for c in choices if sum(int(spend[i, o]) for i, o in enumerate(c)) <= budget]
    best = min(legal, key=order)
    return order(best), best


@pytest.mark.parametrize("seed", range(12))
def test_the_least_cost_within_the_budget(seed: int) -> None:
    rng = np.random.default_rng(seed)
    items, options = 6, 3
    cost = rng.exponential(size=(items, options)) * 10.0 ** rng.integers(-3, 3, (items, 1))
    spend = np.sort(rng.integers(1, 40, (items, options)).astype(np.int64) * 9216, axis=1)
    low, high = int(spend.min(axis=1).sum()), int(spend.max(axis=1).sum())
    for budget in (low, (2 * low + high) // 3, (low + high) // 2, high):
        chosen = assign(cost, spend, budget)
        _, expected = brute_force(cost, spend, budget)
        assert tuple(chosen) == expected
        assert spend[np.arange(items), chosen].sum() <= budget


@pytest.mark.parametrize("seed", range(6))
def test_ties_are_broken_as_promised(seed: int) -> None:
    """Small integers, so that many choices cost the same."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 3, (6, 3)).astype(np.float64)
    spend = rng.integers(1, 4, (6, 3)).astype(np.int64)
    budget = int(spend.min(axis=1).sum()) + 3
    chosen = assign(cost, spend, budget)
    best, _ = brute_force(cost, spend, budget)
    units = np.rint((cost - cost.min(axis=1, keepdims=True)) / 2 * RESOLUTION)
    assert (
        int(units[np.arange(6), chosen].sum()),
        int(spend[np.arange(6), chosen].sum()),
        int((np.arange(1, 7) * chosen).sum()),
    ) == pytest.approx(best)
    assert (assign(cost, spend, budget) == chosen).all()


def test_an_ample_budget_takes_the_best_and_a_tight_one_the_narrowest() -> None:
    cost = np.array([[3.0, 2.0, 1.0], [5.0, 1.0, 0.0]])
    spend = np.array([[1, 2, 4], [1, 2, 4]], np.int64)
    assert list(assign(cost, spend, 10**9)) == [2, 2]
    assert list(assign(cost, spend, 2)) == [0, 0]
    assert list(assign(cost, spend, 3)) == [0, 1]


def test_equal_options_take_what_spends_least() -> None:
    assert list(assign(np.ones((3, 2)), np.array([[5, 4]] * 3, np.int64), 100)) == [1, 1, 1]


def test_no_items_need_nothing() -> None:
    assert len(assign(np.zeros((0, 2)), np.zeros((0, 2), np.int64), 0)) == 0


def test_a_hundred_layers_are_solved_to_the_bound_of_the_relaxation() -> None:
    """A knapsack of many small items: the optimum lies within one item's gain of the relaxation's."""
    rng = np.random.default_rng(3)
    gain, size = rng.exponential(size=96), rng.integers(1, 5, 96)
    cost = np.stack([gain, np.zeros(96)], axis=1)
    spend = np.stack([np.zeros(96), size], axis=1).astype(np.int64)
    budget = int(size.sum()) // 3
    chosen = assign(cost, spend, budget)
    order = np.argsort(-gain / size)
    fits = np.cumsum(size[order]) <= budget
    greedy = gain[order][fits].sum()
    got = gain[chosen == 1].sum()
    assert size[chosen == 1].sum() <= budget
    assert greedy - 96 * gain.max() / RESOLUTION <= got <= greedy + gain.max()


@pytest.mark.parametrize(
    ("cost", "spend", "budget", "message"),
    [
        (np.ones((2, 2)), np.array([[3, 5], [4, 9]]), 6, "budget=6: expected at least 7, what the narrowest"),
        (np.full((1, 2), np.nan), np.ones((1, 2), np.int64), 6, "cost: shape"),
        (np.ones((2, 0)), np.ones((2, 0), np.int64), 6, "at least one option"),
        (np.ones((2, 2)), np.ones((2, 3), np.int64), 6, "spend: int64"),
        (np.ones((2, 2)), np.ones((2, 2)), 6, "spend: float64"),
        (np.ones((1, 2)), -np.ones((1, 2), np.int64), 6, "of at least 0"),
    ],
)
def test_illegal_problems_are_refused(
    cost: np.ndarray,  # type: ignore[type-arg]
    spend: np.ndarray,  # type: ignore[type-arg]
    budget: int,
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        assign(cost, spend, budget)
