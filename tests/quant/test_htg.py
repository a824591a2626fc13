"""HTG: phases that share weights, ranges that hold what was seen, and what each part of it is worth."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.hooks import block_linears, observe
from fpsim.dit.model import DiT, DiTConfig
from fpsim.quant.calibration import Calibration, observe_model
from fpsim.quant.execute import in_float, on_machine
from fpsim.quant.htg import HTG
from fpsim.quant.htg_plan import plan_layers
from fpsim.quant.htg_recipes import HTG_RECIPES
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.recipes import RECIPES

CONFIG = ArrayConfig(unit=UnitConfig(hadamard_n=16))
NOISE = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(4))
LABELS = torch.arange(8)


@pytest.fixture(scope="module")
def model() -> DiT:
    """A small DiT whose channels lie off centre: its modulation shifts are large."""
    torch.manual_seed(8)
    dit = DiT(DiTConfig(hidden=32, depth=1, heads=2))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.08)
        dit.get_parameter("blocks.0.adaLN_modulation.1.bias").add_(torch.randn(192))
    return dit.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def calibration(model: DiT) -> Calibration:
    return observe_model(model, NOISE, LABELS, steps=6)


def error(quantized: QuantizedModel, model: DiT, calibration: Calibration, *, fake: bool = False) -> float:
    """Relative error of the predicted noise over the calibrated timesteps."""
    executed = (in_float if fake else on_machine)(quantized, CONFIG)
    off = signal = 0.0
    with torch.inference_mode():
        for timestep in calibration.timesteps:
            t = torch.full((8,), timestep)
            exact = model(NOISE, t, LABELS)
            off += float((executed(NOISE, t, LABELS) - exact).square().sum())
            signal += float(exact.square().sum())
    return (off / signal) ** 0.5


def test_phases_share_the_weights_and_differ_in_biases_and_scales(
    model: DiT, calibration: Calibration
) -> None:
    before = copy.deepcopy(model.state_dict())
    quantized = HTG("int4", "int4").quantize(model, calibration, CONFIG)
    assert 3 <= len(quantized.phases) <= 6
    first = quantized.phases[0]
    assert [program.name for program in first.programs] == list(block_linears(model))
    for phase in quantized.phases[1:]:
        for here, there in zip(phase.programs, first.programs, strict=True):
            assert isinstance(here, LayerProgram)
            assert isinstance(there, LayerProgram)
            assert here.weight_codes is there.weight_codes
            assert here.col_scale is there.col_scale
        pairs = zip(phase.model.named_parameters(), first.model.named_parameters(), strict=True)
        assert {name.split(".")[-1] for (name, one), (_, two) in pairs if one is not two} == {"bias"}
    assert len({program.static for phase in quantized.phases for program in phase.programs}) == 12  # type: ignore[attr-defined]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("shift", [True, False])
def test_a_plans_range_is_what_the_folded_layers_are_fed(
    shift: bool, model: DiT, calibration: Calibration
) -> None:
    """Calibrated and folded separately, then observed on the folded model over the same trajectory."""
    plans = plan_layers(model, calibration, groups=2, shift=shift, scale="htg", alpha=0.99)
    quantized = HTG(groups=2, shift=shift).quantize(model, calibration, CONFIG)
    low, high = ({name: np.full(6, sign * np.inf) for name in plans} for sign in (1, -1))
    current = 0

    def see(name: str, x: torch.Tensor) -> None:
        low[name][current], high[name][current] = float(x.min()), float(x.max())

    def eps(x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        nonlocal current
        current = calibration.timesteps.index(int(t[0]))
        folded = quantized.phase_at(int(t[0])).model
        with observe(folded, see):
            result: torch.Tensor = folded(x, t, labels)
        return result

    ddim_sample(eps, NOISE, LABELS, steps=6, batch=8)
    for name, plan in plans.items():
        for group in range(2):
            steps = plan.groups == group
            assert plan.high[steps] == pytest.approx(high[name][steps].max(), rel=1e-3)
            assert plan.low[steps] == pytest.approx(low[name][steps].min(), rel=1e-3)


def test_only_layers_that_can_be_folded_are_shifted_and_scaled(model: DiT, calibration: Calibration) -> None:
    plans = plan_layers(model, calibration, groups=3, shift=True, scale="htg", alpha=0.99)
    fc2 = plans["blocks.0.mlp.fc2"]
    assert not fc2.shift.any()
    assert (fc2.scale == 1).all()
    assert len(set(fc2.high.tolist())) == 3
    for name in ("blocks.0.attn.qkv", "blocks.0.attn.proj", "blocks.0.mlp.fc1"):
        assert len(np.unique(plans[name].shift, axis=0)) == 3
        assert len(set(plans[name].scale.tolist())) == block_linears(model)[name].in_features


def test_eight_bits_lose_little_and_each_part_helps_at_four(model: DiT, calibration: Calibration) -> None:
    """One scale for all timesteps, then groups, then shifts and factors: the errors fall in that order."""
    assert error(HTG().quantize(model, calibration, CONFIG), model, calibration) < 0.02
    static = HTG("int4", "int8", groups=1, shift=False, scale="none")
    ladder = [static, replace(static, groups=6), replace(static, groups=6, shift=True, scale="htg")]
    errors = [error(recipe.quantize(model, calibration, CONFIG), model, calibration) for recipe in ladder]
    assert errors[0] > 1.02 * errors[1]
    assert errors[1] > 1.3 * errors[2]


def test_zero_points_and_gptq_help(model: DiT, calibration: Calibration) -> None:
    full = HTG("int4", "int4")
    errors = {
        name: error(recipe.quantize(model, calibration, CONFIG), model, calibration)
        for name, recipe in {
            "full": full,
            "symmetric": replace(full, zero=False),
            "nearest": replace(full, gptq=False),
        }.items()
    }
    assert errors["full"] < 0.9 * errors["symmetric"]
    assert errors["full"] < 0.98 * errors["nearest"]


def test_rotated_rows_take_their_scales_as_they_come(model: DiT, calibration: Calibration) -> None:
    quantized = HTG("e2m1", "e2m1", rotated=True).quantize(model, calibration, CONFIG)
    for phase in quantized.phases:
        for program in phase.programs:
            assert isinstance(program, LayerProgram)
            assert program.static is None
            assert (program.signs is None) == program.name.endswith("attn.proj")
    exact = replace(HTG("int8", "int8", rotated=True, zero=False), groups=2)
    assert error(exact.quantize(model, calibration, CONFIG), model, calibration) < 0.02


@pytest.mark.parametrize("recipe", HTG_RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_is_registered_runs_and_is_imitated(
    recipe: HTG, model: DiT, calibration: Calibration
) -> None:
    assert RECIPES[recipe.name] is recipe
    quantized = replace(recipe, groups=1 if recipe.groups == 1 else 2).quantize(model, calibration, CONFIG)
    real, fake = error(quantized, model, calibration), error(quantized, model, calibration, fake=True)
    assert 0 < real < 0.6
    assert real == pytest.approx(fake, rel=0.2)


@pytest.mark.parametrize("groups", [0, 7])
def test_an_impossible_number_of_groups_is_refused(groups: int, model: DiT, calibration: Calibration) -> None:
    with pytest.raises(ValueError, match=f"groups={groups}: expected 1 to 6"):
        HTG(groups=groups).quantize(model, calibration, CONFIG)
