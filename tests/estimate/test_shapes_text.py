"""Shapes of PixArt and STDiT against published parameters, and against a telling of their own."""

from __future__ import annotations

import pytest

from fpsim.demo.models import model_shape
from fpsim.dit.domains import get_domain
from fpsim.dit.model import DiT
from fpsim.estimate.shapes import digits, dit, glyphs
from fpsim.estimate.shapes_text import TextShape, pixart_alpha, pixart_sigma, stdit


def test_parameters_are_the_published_ones() -> None:
    # README of PixArt-alpha: 0.6 B. Report of Open-Sora 1.0: temporal attention makes 724 M of 580 M, which
    # are millions of 2^20 (582.6 before).
    assert round(pixart_alpha(512).parameters / 1e9, 1) == 0.6
    assert round(stdit(512).parameters / 2**20) == 724
    assert pixart_alpha(512).parameters / 2**20 == pytest.approx(580, abs=3)
    assert pixart_sigma(512).parameters == pixart_alpha(512).parameters
    # Four square matrices per block with their biases are what a video adds.
    added = stdit(256).parameters - pixart_alpha(256).parameters
    assert added == 28 * (4 * 1152 * 1152 + 4 * 1152)
    # Two embedders of a third of the width, from 256 frequencies.
    size = pixart_alpha(1024).parameters - pixart_alpha(512).parameters
    assert size == 2 * (256 * 384 + 384 + 384 * 384 + 384)


def by_hand(tokens: int, frames: int, text: int) -> dict[str, int]:
    """Multiply-accumulates, from the widths: 1152, 28 blocks, patches of 2 x 2 x 4 values."""
    d, blocks, every = 1152, 28, tokens * frames
    square = d * d
    linear = (
        every * square * (4 + 1 + 1 + 8) + text * square * 2
    )  # self, cross q and proj, MLP; cross k and v
    attention = 2 * every * d * (tokens + text)
    if frames > 1:
        linear += every * square * 4
        attention += 2 * every * d * frames
    ends = every * d * (16 + 32) + 256 * d + square + text * (4096 * d + square)
    return {
        "linear": linear * blocks,
        "attention": attention * blocks,
        "modulation": 6 * square,
        "embedding": ends,
    }


@pytest.mark.parametrize(
    ("shape", "numbers"),
    [
        (pixart_alpha(256), (256, 1, 120)),
        (pixart_alpha(512), (1024, 1, 120)),
        (pixart_sigma(256), (256, 1, 300)),
        (pixart_sigma(2048), (16384, 1, 300)),
        (stdit(256), (256, 16, 120)),
        (stdit(512, 4), (1024, 4, 120)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_multiply_accumulates_are_those_of_the_widths(
    shape: TextShape, numbers: tuple[int, int, int]
) -> None:
    assert {kind: shape.macs(kind) for kind in by_hand(*numbers)} == by_hand(*numbers)  # type: ignore[arg-type]
    assert shape.macs() == sum(by_hand(*numbers).values())
    assert all(layer.blocks in (0, 28) for layer in shape.layers)


@pytest.mark.parametrize(("name", "shape"), [("digits", digits()), ("glyphs", glyphs())])
def test_the_embedded_models_are_those_that_are_trained(name: str, shape: object) -> None:
    model = DiT(get_domain(name).config)
    assert model_shape(name, 256) == shape
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert model_shape(name, 256).parameters == trained


def test_models_by_name() -> None:
    assert model_shape("DiT-XL/2", 512) == dit("XL", 2, 512)
    assert model_shape("pixart-alpha", 512) == pixart_alpha(512)
    assert model_shape("pixart-sigma", 1024) == pixart_sigma(1024)
    assert model_shape("stdit", 256) == stdit(256, 16)
    assert model_shape("stdit", 256, 64) == stdit(256, 64)


@pytest.mark.parametrize("image", [0, 15, 100, 256.0, True])
def test_images_are_of_whole_patches(image: int) -> None:
    for make in (pixart_alpha, pixart_sigma, stdit):
        with pytest.raises(ValueError, match="expected whole patches of 16 pixels"):
            make(image)


@pytest.mark.parametrize("frames", [1, 0, 2.0, True])
def test_a_video_has_frames(frames: int) -> None:
    with pytest.raises(ValueError, match="expected an integer of at least 2"):
        stdit(256, frames)
