"""Floating accumulators of every kind, from every state of small ones; cycles of the block dot products."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.verify.job import Job
from fpsim.verify.runner import Run, simulate

pytestmark = pytest.mark.rtl

# Small accumulators and how many codes their sums reach: all finite ones, −0 and the infinities. With "ieee"
# no sum rounds to an infinity that the rounding points away from.
COMPLETE = {
    "e3m2:ieee:rne:ieee:0": 2 * 28 + 2,
    "e3m2:ieee:rna:inf:0": 2 * 28 + 2,
    "e3m2:ieee:rtz:ieee:0": 2 * 28,
    "e3m2:ieee:rup:ieee:0": 2 * 28 + 1,
    "e3m2:ieee:rdn:ieee:0": 2 * 28 + 1,
    "e2m2:none:stochastic:saturate:2": 2 * 16,
}
SAMPLED = (
    "e6m5:none:rup:saturate:0",
    "e5m2:ieee:stochastic:inf:8",
    "e4m3:nan:rne:saturate:0",
    "e8m23:ieee:stochastic:saturate:32",
)


def run(text: str, kinds: tuple[str, ...], *, quick: bool) -> Run:
    """Simulate the floating processing element with this accumulator."""
    config = ArrayConfig(8, 8, UnitConfig(float_acc=FloatAccumulator.parse(text)))
    return simulate(Job("mac_float", config, kinds=kinds, quick=quick))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", COMPLETE, ids=lambda text: text.replace(":", "-"))
def test_every_product_onto_every_sum_of_a_small_accumulator(text: str) -> None:
    result = run(text, ("exhaustive",), quick=False)
    assert result.measured == {"codes": COMPLETE[text]}


@pytest.mark.parametrize("text", SAMPLED, ids=lambda text: text.replace(":", "-"))
def test_accumulators_of_other_sizes(text: str) -> None:
    assert run(text, ("random",), quick=True).vectors["random"] > 1_000


@pytest.mark.parametrize("name", ["dot_mx", "dot_nvfp4"])
def test_a_block_per_cycle_and_the_sum_four_cycles_after_the_last(name: str) -> None:
    measured = simulate(Job(name, ArrayConfig(8, 8), kinds=("random",), seed=1, quick=True)).measured
    assert measured == {"latency": 4, "stalls": 0}
