"""Recipes: rotations that change nothing, programs that run, execution that is the same every time."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.dit.checkpoint import load_noise
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.workload import load_model
from fpsim.quant.calibration import observe_model
from fpsim.quant.execute import on_machine
from fpsim.quant.naive import NaiveStatic
from fpsim.quant.recipes import RECIPES, get_recipe, quantize_model
from fpsim.quant.rotated import RotatedPerToken, fold_value_rotation
from fpsim.quant.rotation import random_signs, rotate_columns
from fpsim.quant.sqnr import epsilon_sqnr, layer_sqnr

CONFIG = ArrayConfig(unit=UnitConfig(hadamard_n=16))


@pytest.fixture(scope="module")
def model() -> DiT:
    """A small DiT with random weights everywhere, so that no branch is switched off by a zero gate."""
    torch.manual_seed(5)
    dit = DiT(DiTConfig(hidden=64, depth=2, heads=2))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return dit.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(6)


def test_rotation_is_orthogonal_and_leaves_the_product(model: DiT) -> None:
    rng = np.random.default_rng(0)
    w, x = rng.standard_normal((5, 96)), rng.standard_normal((3, 96))
    signs = random_signs(96, 0, "layer")
    assert rotate_columns(x, 32, signs) @ rotate_columns(w, 32, signs).T == pytest.approx(x @ w.T, abs=1e-12)
    assert np.linalg.norm(rotate_columns(x, 32, signs)) == pytest.approx(np.linalg.norm(x), rel=1e-14)


def test_signs_are_balanced_stored_draws() -> None:
    signs = random_signs(4096, 0, "a")
    assert (random_signs(4096, 0, "a") == signs).all()
    assert (random_signs(4096, 0, "b") != signs).any()
    assert (random_signs(4096, 1, "a") != signs).any()
    assert abs(int(signs.sum())) < 4 * 64  # four standard deviations


def test_folding_the_value_rotation_changes_weights_and_not_the_function(model: DiT, batch) -> None:  # type: ignore[no-untyped-def]
    folded = fold_value_rotation(model, 16, seed=0)
    noise, labels = batch
    t = torch.full((6,), 500)
    assert not torch.equal(folded.blocks[0].attn.qkv.weight, model.blocks[0].attn.qkv.weight)  # type: ignore[union-attr, arg-type]
    exact, got = model(noise, t, labels), folded(noise, t, labels)
    assert float((got - exact).abs().max()) < 2e-5 * float(exact.abs().max())


def test_a_head_that_the_rotation_does_not_fit_is_refused(model: DiT) -> None:
    with pytest.raises(ValueError, match="hadamard_n=64: expected a divisor of the head width 32"):
        fold_value_rotation(model, 64, seed=0)


@pytest.mark.parametrize("recipe", [NaiveStatic(), RotatedPerToken()])
def test_a_recipe_programs_every_block_linear_and_leaves_the_model_alone(recipe, model: DiT, batch) -> None:  # type: ignore[no-untyped-def]
    before = copy.deepcopy(model.state_dict())
    calibration = observe_model(model, *batch, steps=3)
    quantized = recipe.quantize(model, calibration, CONFIG)
    assert [p.name for p in quantized.programs] == list(block_linears(model))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_rotation_is_online_where_it_must_be_and_folded_for_proj(model: DiT, batch) -> None:  # type: ignore[no-untyped-def]
    calibration = observe_model(model, *batch, steps=3)
    rotated = {
        p.name.split(".")[-1]: p for p in RotatedPerToken().quantize(model, calibration, CONFIG).programs
    }
    assert {name: p.signs is not None for name, p in rotated.items()} == {
        "qkv": True,
        "proj": False,
        "fc1": True,
        "fc2": True,
    }
    assert all(p.static is None for p in rotated.values())
    naive = NaiveStatic().quantize(model, calibration, CONFIG).programs
    assert all(p.static is not None and p.signs is None for p in naive)


def test_execution_is_close_to_the_model_and_the_same_every_time(model: DiT, batch) -> None:  # type: ignore[no-untyped-def]
    noise, labels = batch
    quantized = RotatedPerToken().quantize(model, observe_model(model, *batch, steps=3), CONFIG)
    t = torch.full((6,), 500)
    with torch.inference_mode():
        exact = model(noise, t, labels)
        got = on_machine(quantized, CONFIG)(noise, t, labels)
        again = on_machine(quantized, CONFIG)(noise, t, labels)
        alone = on_machine(quantized, CONFIG)(noise[:1], t[:1], labels[:1])
    assert torch.equal(got, again)
    relative = float((got - exact).norm() / exact.norm())
    assert 0 < relative < 0.3
    assert torch.allclose(alone, got[:1], atol=2e-2)


def test_sqnr_sees_that_rotation_and_fine_scales_tame_outliers() -> None:
    """Outliers ruin static per-tensor scales; the papers' remedy must bring at least 10 dB."""
    model, config = load_model("digits-stress"), ArrayConfig()
    start = load_noise(4)
    results = {}
    for name in ("naive-w4a4", "rotated-w4a4"):
        quantized = quantize_model(model, name, config)
        layers = layer_sqnr(quantized, config, start.noise, start.labels, steps=3)
        steps = epsilon_sqnr(model, quantized, config, start.noise, start.labels, steps=3)
        assert list(layers) == list(block_linears(model))
        assert list(steps) == [999, 500, 0]
        results[name] = (np.mean([v for k, v in layers.items() if "fc1" in k]), steps[999])
    naive, rotated = results["naive-w4a4"], results["rotated-w4a4"]
    assert rotated[0] > naive[0] + 10
    assert rotated[1] > naive[1] + 10


def test_recipes_are_found_by_name() -> None:
    assert get_recipe("naive-w4a4") is RECIPES["naive-w4a4"]
    with pytest.raises(ValueError, match="recipe='gptq': expected one of naive-w4a4, "):
        get_recipe("gptq")
