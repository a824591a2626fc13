"""Recipes for the units beside the array: what they program, how close it is, and that it is repeatable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fpsim.array.block import BlockProgram, block_recipe
from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT, DiTConfig
from fpsim.formats import get
from fpsim.quant.blocks import AMAX_MARGIN, BLOCK_RECIPES, BlockScaled
from fpsim.quant.calibration import Calibration, observe_model
from fpsim.quant.execute import in_float, on_machine
from fpsim.quant.groups import GROUPED_RECIPES, program_groups
from fpsim.quant.halves import HalfPrecision
from fpsim.quant.linears import weight_of
from fpsim.quant.recipe import Recipe
from fpsim.quant.released import ReleasedW8A8, program_released
from fpsim.quant.rotation import rotate_columns
from fpsim.quant.saved import load_quantized, save_quantized

CONFIG = ArrayConfig()
NOISE = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(6)
RECIPES: tuple[Recipe, ...] = (HalfPrecision(), ReleasedW8A8(), *BLOCK_RECIPES, *GROUPED_RECIPES)
# Relative error of the predicted noise that each kind of arithmetic stays below on this model.
LIMITS = {"fp16": 0.002, "vidit-q-w8a8-released": 0.02, "qdit-w4a8": 0.15}


@pytest.fixture(scope="module")
def model() -> DiT:
    torch.manual_seed(6)
    dit = DiT(DiTConfig(hidden=64, depth=1, heads=2))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return dit.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def calibration(model: DiT) -> Calibration:
    return observe_model(model, NOISE, LABELS, steps=4)


def at(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model(NOISE, torch.full((6,), 400), LABELS)
    return result


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_are_close_to_the_model_and_to_their_imitation(
    recipe: Recipe, model: DiT, calibration: Calibration
) -> None:
    quantized = recipe.quantize(model, calibration, CONFIG)
    assert [p.name for p in quantized.programs] == list(block_linears(model))
    exact, real = at(model), at(on_machine(quantized, CONFIG))
    error = float((real - exact).norm() / exact.norm())
    assert 0 < error < LIMITS.get(recipe.name, 0.3)
    fake = at(in_float(quantized, CONFIG))
    # What is left between them: FP16 and results near a boundary of a grid; for FP16 itself, all of it.
    assert 0 < float((real - fake).norm() / exact.norm()) < (0.5 * error if error > 0.01 else 2 * error)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_saved_models_load_with_the_same_bits(
    recipe: Recipe, model: DiT, calibration: Calibration, tmp_path: Path
) -> None:
    quantized = recipe.quantize(model, calibration, CONFIG)
    save_quantized(tmp_path / "model", quantized, CONFIG)
    loaded, config = load_quantized(tmp_path / "model")
    assert torch.equal(at(on_machine(loaded, config)), at(on_machine(quantized, CONFIG)))
    again = recipe.quantize(model, calibration, CONFIG)
    save_quantized(tmp_path / "again", again, CONFIG)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()


def weights_of(program: BlockProgram) -> np.ndarray:
    """The weights that a program stands for, float64, rotated where rows are."""
    recipe = block_recipe(program.weight_recipe)

    def values(codes: np.ndarray, fmt: str) -> np.ndarray:
        return np.array([float(get(fmt).value(int(code))) for code in codes.ravel()]).reshape(codes.shape)

    steps = np.repeat(values(program.weight_scales, recipe.scale), recipe.block_size, axis=1)
    return values(program.weight_codes, recipe.element) * steps * program.weight_tensor_scale


@pytest.mark.parametrize("size", [None, 16, 64])
@pytest.mark.parametrize("tensor_recipe", ["mxfp4-even", "nvfp4"])
def test_programs_stand_for_the_models_weights(
    tensor_recipe: str, size: int | None, model: DiT, calibration: Calibration
) -> None:
    recipe = BlockScaled(tensor_recipe, "blocks", "", size)
    for program in recipe.quantize(model, calibration, CONFIG).programs:
        assert isinstance(program, BlockProgram)
        expected = weight_of(block_linears(model)[program.name])
        if size is not None:
            assert program.signs is not None
            expected = rotate_columns(expected, size, program.signs) / np.sqrt(size)
        assert np.linalg.norm(weights_of(program) - expected) < 0.13 * np.linalg.norm(expected)


def test_the_rows_tensor_scale_has_room_above_the_calibration(model: DiT, calibration: Calibration) -> None:
    for program in BlockScaled("nvfp4", "nv", "").quantize(model, calibration, CONFIG).programs:
        assert isinstance(program, BlockProgram)
        rows = calibration.rows[program.name].astype(np.float16)
        assert program.act_amax == pytest.approx(AMAX_MARGIN * np.abs(rows).max(), rel=2e-3)


@pytest.mark.parametrize(("tensor_recipe", "size"), [("nvfp4", None), ("mxfp4-even", 32)])
def test_gptq_keeps_scales_and_lowers_the_error_of_outputs(
    tensor_recipe: str, size: int | None, model: DiT, calibration: Calibration
) -> None:
    plain, corrected = (
        BlockScaled(tensor_recipe, "blocks", "", size, use_gptq=use)
        .quantize(model, calibration, CONFIG)
        .programs
        for use in (False, True)
    )
    for before, after in zip(plain, corrected, strict=True):
        assert isinstance(before, BlockProgram)
        assert isinstance(after, BlockProgram)
        assert (before.weight_scales == after.weight_scales).all()
        rows = calibration.rows[before.name].astype(np.float64)
        weight = weight_of(block_linears(model)[before.name])
        if size is not None:
            assert before.signs is not None
            rows = rotate_columns(rows, size, before.signs) * np.sqrt(size)
            weight = rotate_columns(weight, size, before.signs) / np.sqrt(size)
        errors = [np.linalg.norm(rows @ (weights_of(p) - weight).T) for p in (before, after)]
        assert errors[1] < 0.95 * errors[0]


def test_grouped_weights_are_within_half_a_step() -> None:
    rng = np.random.default_rng(5)
    weight = rng.standard_normal((6, 80)) * 10.0 ** rng.uniform(-3, 1, (6, 1))
    weight[0, :32] = 0
    weight[1, 32:64] = np.abs(weight[1, 32:64]) + 1
    program = program_groups("layer", weight, np.zeros(6), 4, 8, 32)
    scales = program.weight_scales.view(np.float16).astype(np.float64)
    sizes = [32, 32, 16]
    step, zero = (np.repeat(x, sizes, axis=1) for x in (scales, program.weight_zeros.astype(np.float64)))
    decoded = (program.weight_codes - zero) * step
    error = np.abs(decoded - weight) / step
    inside = (program.weight_codes > 0) & (program.weight_codes < 15)
    assert inside.sum() > 300
    assert (error[inside] <= 0.5 + 1e-9).all()
    # A zero point is rounded too, and the scale is FP16's: an extreme may be cut off by up to a step.
    assert (error <= 1.02).all()
    assert (decoded[0, :32] == 0).all()


def test_released_weights_are_torchs_half_operations() -> None:
    rng = np.random.default_rng(6)
    weight = rng.standard_normal((8, 50)) * 10.0 ** rng.uniform(-3, 0, (8, 1)) + 0.01
    weight[3], weight[4] = 0.25, 0
    program = program_released("layer", weight, np.zeros(8))
    half = torch.tensor(weight).half()
    scale = (half.amax(dim=1) - half.amin(dim=1)) / 255.0
    scale[3], scale[4] = 0.25, 1
    zero = torch.round(half.amin(dim=1) / scale) + 128
    codes = torch.clamp(torch.round(half / scale[:, None]) - zero[:, None], -128, 127)
    assert (program.weight_scales == scale.numpy().view(np.uint16)).all()
    assert (program.weight_zeros == zero.numpy()).all()
    assert (program.weight_codes == codes.numpy()).all()
    far = np.array([[500.0, 500.5]])
    with pytest.raises(ValueError, match=r"layer: zero point .*: expected at most 32767"):
        program_released("layer", far * 100, np.zeros(1))
