"""FPQ's search: brute force over its candidates finds nothing better, and it beats max scaling."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.hooks import block_linears
from fpsim.quant.array_rows import array_rows
from fpsim.quant.execute import on_machine
from fpsim.quant.fpq import FPQ, SHARES, best_grid
from fpsim.quant.naive import NaiveStatic
from fpsim.quant.recipes import RECIPES
from fpsim.quant.scales import OperandChoice, static_scale, weight_grid
from tests.quant.small import agree, at, small_calibration, small_model

UNIT = ArrayConfig().unit


def test_candidates_are_a_hundred_shares_of_the_largest_magnitude() -> None:
    assert len(SHARES) == 100
    assert (SHARES[0], SHARES[-1]) == (0.01, 1.2)
    assert np.diff(SHARES) == pytest.approx(1.19 / 99)


@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "e1m2"])
def test_no_candidate_of_a_channel_has_a_smaller_output_error(fmt: str) -> None:
    rng = np.random.default_rng(1)
    weight, rows = rng.laplace(size=(4, 20)), rng.standard_normal((50, 20))
    seen = array_rows("layer", rows, UNIT, fmt="e2m1", static=static_scale(2.5, UNIT))
    choice = OperandChoice("e2m1", fmt)
    total, grid = best_grid(weight, rows, seen, choice)
    target = rows @ weight.T
    errors = np.square(seen @ grid.values(grid.codes(weight)).T - target).sum(axis=0)
    assert errors.sum() == pytest.approx(total, rel=1e-9)
    for share in SHARES:
        other = weight_grid(weight, choice, scale=weight_grid(weight, choice).step * share)
        off = np.square(seen @ other.values(other.codes(weight)).T - target).sum(axis=0)
        assert (errors <= off * (1 + 1e-9)).all()


def test_the_search_stops_where_no_activation_scale_is_better() -> None:
    rng = np.random.default_rng(2)
    weight, rows = rng.standard_normal((6, 24)), rng.laplace(size=(60, 24))
    amax = float(np.abs(rows).max())
    choice, static, grid = FPQ().search("layer", weight, rows, amax, UNIT)
    coded, target = grid.values(grid.codes(weight)), rows @ weight.T

    def error(fmt: str, share: float) -> float:
        got = array_rows("layer", rows, UNIT, fmt=fmt, static=static_scale(share * amax, UNIT)) @ coded.T
        return float(np.square(got - target).sum())

    found = array_rows("layer", rows, UNIT, fmt=choice.act_fmt, static=static) @ coded.T
    least = min(error(fmt, share) for fmt in ("e2m1", "e3m0", "e1m2") for share in SHARES[::3])
    assert float(np.square(found - target).sum()) <= least * (1 + 1e-9)
    assert least < 0.8 * error("e2m1", 1.0)


def test_scales_are_static_per_tensor_and_better_than_max_scales() -> None:
    assert RECIPES["fpq-w4a4"] == FPQ()
    recipe = FPQ(rows=48)
    quantized = recipe.quantize(small_model(), small_calibration(), ArrayConfig())
    assert [p.name for p in quantized.programs] == list(block_linears(small_model()))
    for program in quantized.programs:
        assert isinstance(program, LayerProgram)
        assert program.static is not None
        assert program.signs is None
        agree(program)
    naive = NaiveStatic().quantize(small_model(), small_calibration(), ArrayConfig())
    errors = []
    for model in (quantized, naive):
        executed = on_machine(model, ArrayConfig())
        off = [at(executed, t) - at(small_model(), t) for t in (999, 666, 333, 0)]
        errors.append(sum(float(e.square().sum()) for e in off))
    assert errors[0] < 0.7 * errors[1]
