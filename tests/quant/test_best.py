"""The searched recipe: each channel keeps its best clipping, each layer its best way, and it beats HQ-DiT."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.hooks import block_linears
from fpsim.quant.best import SearchedW4A4, compensated
from fpsim.quant.execute import on_machine
from fpsim.quant.gptq import gptq, second_moments
from fpsim.quant.hqdit import HQDiT
from fpsim.quant.recipes import RECIPES
from fpsim.quant.rotated_layers import RotatedLayer
from fpsim.quant.scales import OperandChoice, weight_grid
from tests.quant.small import agree, at, small_calibration, small_model

CONFIG = ArrayConfig()


def error(recipe: SearchedW4A4 | HQDiT) -> float:
    executed = on_machine(recipe.quantize(small_model(), small_calibration(), CONFIG), CONFIG)
    return sum(float((at(executed, t) - at(small_model(), t)).square().sum()) for t in (999, 666, 333, 0))


def test_each_channel_keeps_the_clipping_with_the_smallest_error_after_gptq() -> None:
    rng = np.random.default_rng(3)
    weight, rows = rng.standard_normal((8, 64)), rng.laplace(size=(300, 64))
    layer = RotatedLayer("layer", weight, np.zeros(8), rows, None, None)
    choice, hessian, ratios = OperandChoice(), second_moments(rows), (1.0, 0.9, 0.8)
    grid, values = compensated(layer, choice, hessian, ratios)
    errors = []
    for ratio in ratios:
        one = weight_grid(weight, choice, scale=weight_grid(weight, choice).step * ratio)
        found = gptq(weight, hessian, lambda column, _, one=one: one.values(one.codes(column)))  # type: ignore[misc]
        errors.append(np.square(rows @ (weight - found).T).sum(axis=0))
    best = np.square(rows @ (weight - values).T).sum(axis=0)
    assert (best <= np.min(errors, axis=0) * (1 + 1e-4)).all()  # H is rounded to 23 bits or so
    assert len(set(np.argmin(errors, axis=0).tolist())) > 1
    assert (grid.values(grid.codes(values)) == values).all()


def test_every_layer_is_programmed_and_balanced_without_changing_the_function() -> None:
    recipe = SearchedW4A4()
    assert RECIPES[recipe.name] == recipe
    quantized = recipe.quantize(small_model(), small_calibration(), CONFIG)
    assert [p.name for p in quantized.programs] == list(block_linears(small_model()))
    for program in quantized.programs:
        assert isinstance(program, LayerProgram)
        assert program.operand_bits.passes == 1
        assert program.static is None
        agree(program)
    exact = at(small_model(), 500)
    assert float((at(quantized.model, 500) - exact).norm()) < 1e-4 * float(exact.norm())
    again = recipe.quantize(small_model(), small_calibration(), CONFIG)
    assert torch.equal(at(on_machine(again, CONFIG), 500), at(on_machine(quantized, CONFIG), 500))


def test_widths_that_fit_are_tried_and_others_left_out() -> None:
    """K is 48 and 192: blocks of 16 fit, of 32 do not."""
    sizes = set()
    for widths in (("full", 16), ("full", 32), (16,)):
        quantized = SearchedW4A4(widths=widths).quantize(small_model(), small_calibration(), CONFIG)  # type: ignore[arg-type]
        found = {p.hadamard_n for p in quantized.programs if isinstance(p, LayerProgram)}
        assert found <= ({16, 48, 192, None} if 16 in widths else {48, 192, None})
        sizes |= found
    assert 16 in sizes


def test_searching_lowers_the_error_of_the_model() -> None:
    fixed = replace(
        SearchedW4A4(), act_fmts=("e2m1",), weight_fmts=("e2m1",), widths=("full",), ratios=(1.0,)
    )
    assert error(SearchedW4A4()) < error(fixed)
    assert error(SearchedW4A4()) < error(HQDiT())
