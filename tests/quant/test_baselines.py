"""SmoothQuant's factors and the recipes that literature compares with."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.hooks import block_linears
from fpsim.quant.balance import balance
from fpsim.quant.baselines import BASELINE_RECIPES
from fpsim.quant.execute import on_machine
from fpsim.quant.linears import weight_of
from fpsim.quant.recipe import Recipe
from fpsim.quant.recipes import RECIPES
from fpsim.quant.smoothquant import SMOOTH_RECIPES, smoothing
from tests.quant.small import agree, at, small_calibration, small_model

CONFIG = ArrayConfig()
ALL: tuple[Recipe, ...] = (*BASELINE_RECIPES, *SMOOTH_RECIPES)


def test_smoothing_is_the_papers_equation() -> None:
    """s = max|X|^a / max|W|^(1-a): for a = 0.5 the two maxima become equal; dead channels keep 1."""
    amax = np.array([[4, 1, 0, 9], [16, 0.25, 0, 9]], np.float32)
    weight = np.array([[1, -4, 5, 0.0], [0.5, 1, 1, 0]])
    assert smoothing(amax, weight).tolist() == [4, 0.5, 1, 1]
    assert smoothing(amax, weight, 1).tolist() == [16, 1, 1, 1]
    assert smoothing(amax, weight, 0).tolist() == [1, 0.25, 1, 1]
    with pytest.raises(ValueError, match="alpha=2: expected 0 to 1"):
        smoothing(amax, weight, 2)


def test_balanced_rows_are_what_the_model_then_feeds() -> None:
    model, calibration = small_model(), small_calibration()
    factors = {
        name: smoothing(calibration.channel_amax[name], weight_of(linear))
        for name, linear in block_linears(model).items()
    }
    balanced = balance(model, factors, calibration.rows)
    assert list(balanced.input_scale) == ["blocks.0.mlp.fc2"]
    for name, x in calibration.rows.items():
        factor = 1 if name in balanced.input_scale else factors[name]
        assert balanced.rows[name] == pytest.approx(x / factor, rel=1e-6)
    exact = at(model, 300)
    assert float((at(balanced.model, 300) - exact).norm()) < 1e-5 * float(exact.norm())


@pytest.mark.parametrize("recipe", ALL, ids=lambda recipe: recipe.name)
def test_the_machine_and_the_float_imitation_agree(recipe: Recipe) -> None:
    assert RECIPES[recipe.name] is recipe
    quantized = recipe.quantize(small_model(), small_calibration(), CONFIG)
    assert [p.name for p in quantized.programs] == list(block_linears(small_model()))
    for program in quantized.programs:
        agree(program)


def test_more_bits_and_finer_scales_lower_the_error() -> None:
    errors = {}
    for recipe in (*ALL, RECIPES["naive-w4a4"]):
        executed = on_machine(recipe.quantize(small_model(), small_calibration(), CONFIG), CONFIG)
        off = [at(executed, t) - at(small_model(), t) for t in (999, 666, 333, 0)]
        errors[recipe.name] = sum(float(e.square().sum()) for e in off)
    assert 20 * errors["smoothquant-w8a8"] < errors["smoothquant-w4a8"] < errors["smoothquant-w4a4"]
    assert errors["minmax-fp4"] < errors["naive-w4a4"]
    assert errors["minmax-int4"] < errors["naive-int4"]


def test_smoothquant_multiplies_in_passes_of_four_bits() -> None:
    for recipe, passes in zip(SMOOTH_RECIPES, (4, 2, 1), strict=True):
        quantized = recipe.quantize(small_model(), small_calibration(), CONFIG)
        for program in quantized.programs:
            assert isinstance(program, LayerProgram)
            assert program.operand_bits.passes == passes
            assert program.static is None
