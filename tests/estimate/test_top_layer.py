"""Layers on the accelerator as it is built, against its cycle formula told by hand."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate.shapes import Layer, Operands, dit
from fpsim.estimate.top_layer import top_layer_cycles

CONFIG = ArrayConfig(2, 3, UnitConfig(hadamard_n=4))


def test_a_layer_by_hand() -> None:
    # 3 rows of 8: 2 row tiles; 4 columns: 2 tiles. A row: 2 beats read twice and quantized, 2 registers, 3.
    row = 3 * 2 + 2 + 3
    # Tiles: 3 heads and 8 codes each, a drain of 6, and the stages of correction (3) and epilogue (4) less
    # the padding rows.
    tiles = 3 + 8 + 11 + 6
    layer = Layer("fc", m=3, n=4, k=8, operands=Operands("e2m1"))
    assert top_layer_cycles(layer, CONFIG) == (2 * row + tiles + 7) + (row + tiles + 6)


def test_eight_bits_divide_and_take_passes() -> None:
    four, eight = (
        top_layer_cycles(Layer("fc", 2, 3, 8, operands=operands), CONFIG)
        for operands in (Operands("e2m1"), Operands("int4", 8, 4, 2))
    )
    assert four is not None
    # Ten cycles more for each of 2 beats of each of 2 rows, and 8 codes more.
    assert eight == four + 2 * 2 * 10 + 8


@pytest.mark.parametrize(
    "layer",
    [
        Layer("qk", 4, 4, 8, kind="attention", operands=Operands("e2m1")),
        Layer("fc", 4, 4, 8, operands=Operands("e2m1", block=4)),
        Layer("fc", 4, 4, 8),
        Layer("fc", 4, 4, 4612, operands=Operands("e2m1")),
        Layer("fc", 70_000, 4, 8, operands=Operands("e2m1")),
    ],
)
def test_what_it_cannot_run_has_no_cycles(layer: Layer) -> None:
    assert top_layer_cycles(layer, CONFIG) is None


def test_phases_one_after_the_other_take_longer_than_the_array() -> None:
    (layer,) = (layer for layer in dit("XL", 2, 256).layers if layer.name == "attn.qkv")
    dressed = Layer(layer.name, layer.m, layer.n, layer.k, operands=Operands("e2m1"))
    found = top_layer_cycles(dressed, ArrayConfig())
    array = 16 * 216 * 1152 + 33
    assert found is not None
    assert array < found < 1.1 * array
