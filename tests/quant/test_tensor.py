"""Named recipes on one tensor: scales, codes, and what is refused."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import fpsim
from fpsim.quant.tensor import RECIPES


def test_per_token_codes_are_those_of_ml_dtypes_after_the_stated_division() -> None:
    x = np.random.default_rng(0).standard_normal((64, 96)).astype(np.float32)
    got = fpsim.quantize(x, "per-token-e2m1")
    scales = np.abs(x).max(axis=1, keepdims=True) / np.float32(6)
    peer = (x / scales).astype(ml_dtypes.float4_e2m1fn)
    assert got.scales.tolist() == scales.tolist()
    assert got.codes.tolist() == peer.view(np.uint8).tolist()
    assert got.dequantize().tolist() == (peer.astype(np.float32) * scales).tolist()


@pytest.mark.parametrize("recipe", RECIPES)
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


@pytest.mark.parametrize(
    ("x", "recipe", "axis", "message"),
    [
        ([1.0], "per-token-e9m9", -1, "recipe='per-token-e9m9': expected one of per-token-e2m1"),
        ([1.0], "per-token-e2m1", 1, "axis=1: x has 1 axes"),
        ([], "per-token-e2m1", -1, "at least one element"),
        ([np.nan], "per-token-e2m1", -1, "only finite"),
        ([np.inf], "per-tensor-int4", -1, "only finite"),
        ([1e-45], "per-tensor-int8", -1, "too small for a float32 scale"),
    ],
)
def test_illegal_input_is_named(x: list[float], recipe: str, axis: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fpsim.quantize(x, recipe, axis=axis)
