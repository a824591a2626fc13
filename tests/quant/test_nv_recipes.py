"""NVFP4 recipes: equal to the references, division against reciprocal, and every stated policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import fpsim
from fpsim.formats.tensor_recipes import TENSOR_RECIPES, NvRecipe
from tests.quant import peers

NV = [recipe for recipe in TENSOR_RECIPES.values() if isinstance(recipe, NvRecipe)]
NAMES = [recipe.name for recipe in NV]
PLAIN = [recipe.name for recipe in NV if recipe.four_over_six is None]
FLT_MAX = np.finfo(np.float32).max
F = np.float32
Peer = Callable[..., tuple[Any, Any, np.float32]]


def rows(seed: int, low: int, high: int, count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, 64)) * np.exp2(rng.integers(low, high, (count, 1)))
    return x.astype(F)


def assert_equals(name: str, peer: Peer, *options: Any) -> int:
    """Gaussian rows: alike, of many sizes (scales under- and overflow), far from 1; static amax; ties."""
    rng = np.random.default_rng(311)
    grid = rng.choice([0.0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6], (400, 64))
    grid[:, ::16] = 6
    ties = (
        grid * rng.choice([-1, 1], grid.shape) * np.exp2(rng.integers(-5, 8, (400, 4))).repeat(16, 1)
    ).astype(F)
    ties[0, 0] = 2688  # the tensor scale is 1: ties stay ties
    tensors = [
        rows(312, 0, 1),
        rows(313, -18, 2),
        rows(314, -8, 8),
        rows(315, 80, 100),
        rows(316, -100, -90),
        ties,
    ]
    cases = 0
    with np.errstate(all="ignore"):
        for x in tensors:
            amax = np.abs(x).max()
            for given in (None, F(0.37) * amax, F(5) * amax):
                got = fpsim.quantize(x, name, amax=given)
                scales, codes, tensor_scale = peer(x, amax if given is None else given, *options)
                assert got.tensor_scale == tensor_scale
                assert got.scales.tolist() == scales.tolist()
                flushed = (scales == 0).repeat(16, 1) & (name != "nvfp4-te")
                assert got.codes[~flushed].tolist() == codes[~flushed].tolist()
                assert (got.codes[flushed] & 7 == 0).all()
                cases += x.size
    return cases


@pytest.mark.parametrize(
    ("name", "peer", "options"),
    [
        ("nvfp4", peers.paper, ()),
        ("nvfp4-divide", peers.paper, (True,)),
        ("nvfp4-te", peers.te, ()),
        ("nvfp4-modelopt", peers.modelopt, ()),
        ("nvfp4-torchao", peers.torchao, ()),
        *(
            (f"nvfp4-four-over-six-{norm}-{cap}", peers.four_over_six, (norm, cap))
            for norm in ("absmax", "mae", "mse")
            for cap in (256, 448)
        ),
    ],
)
def test_equals_the_reference(name: str, peer: Peer, options: tuple[Any, ...]) -> None:
    assert assert_equals(name, peer, *options) == 6 * 3 * 400 * 64


def test_an_amax_of_2688_is_torchaos_single_level() -> None:
    # nvfp4_quantize without a tensor scale: s = UE4M3(max(B / 6, 2^-6)), elements x · (1 / s).
    x = rows(317, -12, 12)
    got = fpsim.quantize(x, "nvfp4-torchao", amax=2688)
    blocks = peers.to_blocks(x, 16)
    scales, s = peers.ue4m3(np.maximum(np.abs(blocks).max(axis=-1) / F(6), F(2**-6)))
    codes = peers.cast(blocks * (F(1) / s)[..., None], "e2m1").reshape(x.shape)
    assert (got.tensor_scale, got.scales.tolist(), got.codes.tolist()) == (1, scales.tolist(), codes.tolist())


def boundary_blocks() -> np.ndarray:
    """Blocks (6s, x, 0 ...) for every finite scale s above 0 and every x within 8 ulp of s times a midpoint.

    At a given amax of 2688 the tensor scale is 1 and the block's scale is s.
    """
    s = np.arange(1, 127, dtype=np.uint8).view(ml_dtypes.float8_e4m3fn).astype(F)
    middle = s[:, None] * np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5], F)
    x = (middle[:, :, None].view(np.int32) + np.arange(-8, 9)).astype(np.int32).view(F)
    blocks = np.zeros((*x.shape, 16), F)
    blocks[..., 0] = 6 * s[:, None, None]
    blocks[..., 1] = x
    return blocks


def test_division_and_reciprocal_differ_at_116_points() -> None:
    blocks = boundary_blocks()
    flat = blocks.reshape(-1, 16)
    divided, multiplied = (fpsim.quantize(flat, name, amax=2688) for name in ("nvfp4-divide", "nvfp4"))
    assert divided.scales.tolist() == multiplied.scales.tolist()
    assert (
        divided.scales.reshape(126, 7, 17).tolist()
        == np.arange(1, 127).repeat(119).reshape(126, 7, 17).tolist()
    )
    differ = (divided.codes[:, 1] != multiplied.codes[:, 1]).reshape(126, 7, 17)
    assert differ.sum() == 116
    # 42 of them are the midpoints themselves, 74 the float32 next below
    assert differ.sum(axis=(0, 1)).tolist() == [0] * 7 + [74, 42] + [0] * 8
    # ModelOpt divides: with the same tensor scale it gives the codes of "nvfp4-divide" everywhere
    assert fpsim.quantize(flat, "nvfp4-modelopt", amax=2688).codes.tolist() == divided.codes.tolist()


def test_the_published_example_of_division_against_reciprocal() -> None:
    x = np.array([0x3CC3FFFF], np.uint32).view(F)
    scale = ml_dtypes.float8_e4m3fn(0.013671875)
    block = np.concatenate([[6 * F(scale)], x]).astype(F)
    for name, code in (("nvfp4-divide", 3), ("nvfp4", 4), ("nvfp4-modelopt", 3)):
        got = fpsim.quantize(block, name, amax=2688)
        assert (got.tensor_scale, got.scales.tolist(), got.codes.tolist()) == (1, [0x07], [7, code])


@pytest.mark.parametrize(
    ("name", "scale", "minus_zero"),
    [
        ("nvfp4", 0, 8),
        ("nvfp4-divide", 0, 8),
        ("nvfp4-te", 0, 0),
        ("nvfp4-modelopt", 0x38, 0),
        ("nvfp4-torchao", 8, 8),
    ]
    + [(recipe.name, 0, 8) for recipe in NV if recipe.four_over_six],
)
def test_zero_blocks(name: str, scale: int, minus_zero: int) -> None:
    x = np.zeros((2, 32), F)
    x[:, 1::2] = -0.0
    x[1, 16:] = 3
    for tensor, blocks in ((x, [0, 1, 2]), (x[:1], [0, 1])):  # a zero tensor as well
        got = fpsim.quantize(tensor, name)
        assert got.scales.ravel()[blocks].tolist() == [scale] * len(blocks)
        assert got.codes[0].tolist() == [0, minus_zero] * 16
        assert np.isfinite(got.dequantize()).all()


@pytest.mark.parametrize(
    ("name", "codes"), [("nvfp4", [0, 8]), ("nvfp4-te", [7, 15]), ("nvfp4-divide", [0, 8])]
)
def test_a_scale_that_underflows(name: str, codes: list[int]) -> None:
    x = np.zeros((1, 32), F)
    x[0, 0], x[0, 16], x[0, 17] = 2688, 2**-9, -(2**-9)  # 2^-9 / 6 is below half of the smallest scale
    got = fpsim.quantize(x, name)
    assert got.scales.tolist() == [[0x7E, 0]]
    assert got.codes[0, 16:18].tolist() == codes
    assert (got.dequantize()[0, 16:] == 0).all()


@pytest.mark.parametrize(("name", "smallest"), [("nvfp4-modelopt", 0x01), ("nvfp4-torchao", 0x08)])
def test_scales_are_raised_to_the_smallest(name: str, smallest: int) -> None:
    x = np.zeros((1, 32), F)
    x[0, 0], x[0, 16] = 2688, 2**-9
    assert fpsim.quantize(x, name).scales.tolist() == [[0x7E, smallest]]


@pytest.mark.parametrize("name", NAMES)
def test_scales_saturate_above_a_given_amax(name: str) -> None:
    got = fpsim.quantize(np.array([[100.0, -1000.0]], F), name, amax=1)
    assert got.scales.tolist() == [[0x7E]]
    assert got.codes.tolist() == [[7, 15]]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match="x: expected at least one element and only finite values"):
        fpsim.quantize([1.0, bad], name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [2.0**-149, 2.0**-140, 2.0**-126, 2.0**-115, 2.0**127])
def test_the_ends_of_the_range_stay_finite(name: str, size: float) -> None:
    x = np.array([[1, -0.5, 0.25, 0]]) * size
    got = fpsim.quantize(x, name)
    assert np.isfinite(got.tensor_scale)
    assert got.tensor_scale > 0
    assert (got.scales < 0x7F).all()
    assert np.isfinite(got.dequantize()).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("columns", [1, 15, 17, 33])
def test_ragged_rows_are_padded_with_zeros_that_are_not_stored(name: str, columns: int) -> None:
    x = rows(321, -2, 2, 5)[:, :columns]
    padded = np.zeros((5, -(-columns // 16) * 16), F)
    padded[:, :columns] = x
    got, whole = fpsim.quantize(x, name), fpsim.quantize(padded, name)
    assert (got.tensor_scale, got.scales.tolist()) == (whole.tensor_scale, whole.scales.tolist())
    assert got.codes.tolist() == whole.codes[:, :columns].tolist()
    assert got.dequantize().tolist() == whole.dequantize()[:, :columns].tolist()


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_on_the_grid_stays(name: str) -> None:
    x = rows(322, -3, 3)
    once = fpsim.quantize(x, name)
    assert (once.scales >= 8).all()  # normal scales: the subnormal ones are the exception below
    again = fpsim.quantize(once.dequantize(), name)
    assert again.scales.tolist() == once.scales.tolist()
    lost_sign = (once.codes == 8) & (again.codes == 0)  # te and modelopt take −0 to 0
    assert ((again.codes == once.codes) | lost_sign).all()
    assert lost_sign.any() == (name in ("nvfp4-te", "nvfp4-modelopt"))
    amax = np.abs(x).max()
    static = fpsim.quantize(fpsim.quantize(x, name, amax=amax).dequantize(), name, amax=amax)
    assert static.dequantize().tolist() == once.dequantize().tolist()


def test_a_subnormal_scale_is_too_coarse_to_stay() -> None:
    # B / 6 = 1.55 · 2^-9 rounds to s = 2 · 2^-9, under which B = 9.3 · 2^-9 is 4.65: code value 4. These
    # 8 · 2^-9 ask for 1.33 · 2^-9, hence s = 2^-9, and 8 saturates at 6.
    x = np.array([9.3 * 2**-9], F)
    once = fpsim.quantize(x, "nvfp4", amax=2688)
    again = fpsim.quantize(once.dequantize(), "nvfp4", amax=2688)
    assert (once.scales.tolist(), once.dequantize().tolist()) == ([2], [8 * 2**-9])
    assert (again.scales.tolist(), again.dequantize().tolist()) == ([1], [6 * 2**-9])


def test_four_over_six_picks_the_lower_error_and_six_on_ties() -> None:
    # 5 lies in the middle of 4 and 6; against 1.5 it is 3.33, near 3. The errors are 1 and 0.5 each.
    x = np.array([[6, 5, 5, 5]], F)
    for norm in ("absmax", "mae", "mse"):
        got = fpsim.quantize(x, f"nvfp4-four-over-six-{norm}-256")
        assert got.codes.tolist() == [[6, 5, 5, 5]]  # 4, 3, 3, 3 times 1.5
        assert got.scales.tolist() == [[0x7C]]  # 384 = 1.5 · 256
    tie = fpsim.quantize(np.array([[6, 3, 0]], F), "nvfp4-four-over-six-mse-256")
    assert (tie.codes.tolist(), tie.scales.tolist()) == ([[7, 5, 0]], [[0x78]])


def test_four_over_six_never_does_worse_than_six_by_its_own_norm() -> None:
    x = rows(323, -1, 1)
    for cap in (256, 448):
        off = {}
        for norm in ("absmax", "mae", "mse"):
            got = fpsim.quantize(x, f"nvfp4-four-over-six-{norm}-{cap}")
            off[norm] = (got.dequantize() - x).reshape(-1, 16)
        mse = {norm: np.mean(error.astype(float) ** 2) for norm, error in off.items()}
        assert mse["mse"] <= min(mse["mae"], mse["absmax"]) * (1 + 1e-6)
        assert np.abs(off["absmax"]).max(axis=1).mean() <= np.abs(off["mse"]).max(axis=1).mean()


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, [1.0, 2.0]])
def test_an_illegal_amax_is_named(bad: Any) -> None:
    with pytest.raises(ValueError, match="amax"):
        fpsim.quantize([1.0, 2.0], "nvfp4", amax=bad)
