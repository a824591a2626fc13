"""Recipes with one scale per vector or tensor: scales, codes, static amax, clip search, what is refused."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import fpsim
from fpsim.formats.tensor_recipes import CLIP_FIRST, CLIP_STEPS, TENSOR_RECIPES, VectorRecipe

VECTORS = [recipe.name for recipe in TENSOR_RECIPES.values() if isinstance(recipe, VectorRecipe)]
ABSMAX = [name for name in VECTORS if not name.endswith("-mse")]


def test_per_token_codes_are_those_of_ml_dtypes_after_the_stated_division() -> None:
    x = np.random.default_rng(0).standard_normal((64, 96)).astype(np.float32)
    got = fpsim.quantize(x, "per-token-e2m1")
    scales = np.abs(x).max(axis=1, keepdims=True) / np.float32(6)
    peer = (x / scales).astype(ml_dtypes.float4_e2m1fn)
    assert got.scales.tolist() == scales.tolist()
    assert got.codes.tolist() == peer.view(np.uint8).tolist()
    assert got.dequantize().tolist() == (peer.astype(np.float32) * scales).tolist()


@pytest.mark.parametrize("recipe", ABSMAX)
def test_every_recipe_hits_its_largest_value_and_stays_near(recipe: str) -> None:
    x = np.random.default_rng(1).standard_normal((8, 64)).astype(np.float32)
    got = fpsim.quantize(x, recipe)
    assert got.codes.shape == x.shape
    assert got.scales.shape == (() if "tensor" in recipe else (8, 1))
    top = float(got.fmt.max_value)
    assert np.abs(fpsim.decode(got.codes, got.fmt)).max() == top
    # the widest gap of any of these grids is half of its largest value (E3M0), so no error is above a quarter
    assert np.abs(got.dequantize() - x).max() <= np.abs(x).max() / 4


def test_axis_names_the_summed_axis() -> None:
    x = np.random.default_rng(2).standard_normal((8, 6)).astype(np.float32)
    assert (
        fpsim.quantize(x, "per-channel-int8", axis=0).codes == fpsim.quantize(x.T, "per-channel-int8").codes.T
    ).all()


def test_int8_is_symmetric() -> None:
    assert fpsim.quantize([-1.0, 1.0, 0.0], "per-tensor-int8").codes.tolist() == [256 - 127, 127, 0]


@pytest.mark.parametrize("recipe", VECTORS)
def test_a_static_amax_sets_the_scale_and_the_rest_saturates(recipe: str) -> None:
    x = np.random.default_rng(3).standard_normal((8, 64)).astype(np.float32)
    x[:, 0] = -4
    got = fpsim.quantize(x, recipe, amax=1.5)
    top = np.float32(got.fmt.max_value)
    assert got.scales.shape == (() if "tensor" in recipe else (8, 1))
    if recipe in ABSMAX:
        assert (got.scales == np.float32(1.5) / top).all()
    assert (fpsim.decode(got.codes, got.fmt)[:, 0] == -top).all()
    own = fpsim.quantize(x, recipe)
    assert fpsim.quantize(x, recipe, amax=4).codes.tolist() == own.codes.tolist()


def test_a_static_amax_may_differ_from_vector_to_vector() -> None:
    x = np.random.default_rng(4).standard_normal((3, 5, 4)).astype(np.float32)
    amax = np.abs(x).max(axis=1, keepdims=True)
    got = fpsim.quantize(x, "per-channel-int8", axis=1, amax=amax)
    assert got.scales.tolist() == (amax / np.float32(127)).tolist()
    assert got.codes.tolist() == fpsim.quantize(x, "per-channel-int8", axis=1).codes.tolist()


@pytest.mark.parametrize("recipe", [name for name in VECTORS if name.endswith("-mse")])
def test_the_clip_search_takes_the_best_candidate(recipe: str) -> None:
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.standard_normal((6, 48)), rng.standard_t(2, (6, 48))]).astype(np.float32)
    got = fpsim.quantize(x, recipe)
    absmax = recipe.removesuffix("-mse")
    rows = x.reshape(1, -1) if "tensor" in recipe else x
    for row, scale in zip(rows, np.atleast_1d(got.scales.ravel()), strict=True):
        amax = np.abs(row).max()
        errors = []
        for k in range(CLIP_STEPS, CLIP_FIRST - 1, -1):
            clip = np.float32(float(amax) * k / CLIP_STEPS)  # exact enough to find the candidate
            trial = fpsim.quantize(row, absmax, amax=clip)
            errors.append((np.sum((trial.dequantize().astype(float) - row) ** 2), trial.scales.item()))
        best, candidate = min(errors, key=lambda pair: pair[0])
        assert scale == pytest.approx(candidate, rel=1e-6)
        assert best <= errors[0][0]
    plain = fpsim.quantize(x, absmax)
    assert np.sum((got.dequantize() - x) ** 2) <= np.sum((plain.dequantize() - x) ** 2)


@pytest.mark.parametrize("recipe", VECTORS)
def test_a_zero_vector_has_scale_one(recipe: str) -> None:
    got = fpsim.quantize([[0.0, -0.0]], recipe)
    assert got.scales.ravel().tolist() == [1]
    assert got.codes.tolist() == [[0, 0 if "int" in recipe else 8]]


def test_a_single_number_and_other_types() -> None:
    assert fpsim.quantize(np.array([[1, -7]]), "per-token-int4").codes.tolist() == [[1, 9]]
    x = np.array([1.0, 1 + 2.0**-24, 1 + 3 * 2.0**-24])  # a float64 is rounded to float32 once, to even
    assert fpsim.quantize(x, "per-tensor-int8").scales == (np.float32(1 + 2.0**-22)) / np.float32(127)


@pytest.mark.parametrize(
    ("x", "recipe", "axis", "message"),
    [
        ([1.0], "per-token-e9m9", -1, "recipe='per-token-e9m9': expected one of per-token-e2m1"),
        ([1.0], "per-token-e2m1", 1, "axis=1: x has 1 axes"),
        ([], "per-token-e2m1", -1, "at least one element"),
        ([np.nan], "per-token-e2m1", -1, "only finite"),
        ([np.inf], "per-tensor-int4", -1, "only finite"),
        ([1e-45], "per-tensor-int8", -1, "too small for a float32 scale"),
        ([1e-45], "per-token-e2m1-mse", -1, "too small for a float32 scale"),
    ],
)
def test_illegal_input_is_named(x: list[float], recipe: str, axis: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fpsim.quantize(x, recipe, axis=axis)


@pytest.mark.parametrize(
    ("amax", "recipe", "message"),
    [
        (0.0, "per-token-e2m1", "expected finite numbers above 0"),
        ([1.0, np.nan], "per-token-e2m1", "expected finite numbers above 0"),
        (
            [1.0, 2.0],
            "per-token-e2m1",
            r"amax.shape=\(2,\): expected one number, or for one per vector \(2, 1\)",
        ),
        ([[1.0], [2.0]], "per-tensor-e2m1", r"amax.shape=\(2, 1\): expected one number"),
    ],
)
def test_an_illegal_amax_is_named(amax: list[float], recipe: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fpsim.quantize(np.ones((2, 3)), recipe, amax=amax)
