"""The seam on a video model, and the groups of layers."""

from __future__ import annotations

import copy
from collections import Counter

import pytest
import torch
from torch import Tensor

from fpsim.dit.hooks import GROUPS, block_linears, layer_group, observe, with_linears
from fpsim.dit.model import DiT
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig

CONFIG = VideoDiTConfig(hidden=32, depth=2, heads=2)


@pytest.fixture
def model() -> VideoDiT:
    torch.manual_seed(0)
    made = VideoDiT(CONFIG)
    with torch.no_grad():
        for weight in made.parameters():
            if weight.requires_grad:
                weight.normal_(std=0.2)
    return made.eval()


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    x = torch.randn((3, 3, 12, 12), generator=torch.Generator().manual_seed(1))
    return x, torch.tensor([0, 500, 999]), torch.tensor([[1, 8], [2, 0], [10, 9]])


def test_groups_of_the_linears_are_those_of_the_released_patterns() -> None:
    # ViDiT-Q's four groups are found by ".attn.", "attn_temp", "cross_attn" and "mlp" in a layer's name.
    patterns = {"spatial": ".attn.", "temporal": "attn_temp", "cross": "cross_attn", "ffn": "mlp"}
    for model, sizes in (
        (VideoDiT(), {"spatial": 8, "temporal": 8, "cross": 12, "ffn": 8}),
        (DiT(), {"spatial": 12, "ffn": 12}),
    ):
        names = list(block_linears(model))
        for name in names:
            assert [group for group in GROUPS if patterns[group] in name] == [layer_group(name)]
        assert Counter(map(layer_group, names)) == sizes
    for bad in ("final_layer.linear", "blocks.0.norm1", "blocks.0.attention.qkv", "attn.qkv"):
        with pytest.raises(ValueError, match=rf"name='{bad}': expected blocks\.i\.<part>"):
            layer_group(bad)


def test_own_linears_give_the_same_bits(model: VideoDiT, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    plain = model(*batch)
    own = {name: copy.deepcopy(linear) for name, linear in block_linears(model).items()}
    replaced = with_linears(model, own)
    assert isinstance(replaced, VideoDiT)
    assert torch.equal(replaced(*batch), plain)


def test_every_linear_is_called_through_the_seam(
    model: VideoDiT, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    plain = model(*batch)
    for name, linear in block_linears(model).items():
        doubled = with_linears(model, {name: lambda x, linear=linear: 2 * linear(x)})
        assert not torch.allclose(doubled(*batch), plain, rtol=1e-3), name


def test_observer_sees_every_row_once_and_in_order(
    model: VideoDiT, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    rows: list[tuple[str, tuple[int, ...]]] = []
    with observe(model, lambda name, x: rows.append((name, tuple(x.shape)))):
        model(*batch)
    model(*batch)
    videos, frames, tokens = 3, 3, 9
    shapes = {
        "spatial": (videos * frames, tokens, 32),
        "temporal": (videos * tokens, frames, 32),
        "cross": (videos, frames * tokens, 32),
        "ffn": (videos, frames, tokens, 32),
    }
    for (name, shape), expected in zip(rows, block_linears(model), strict=True):
        assert name == expected
        group = layer_group(name)
        if name.endswith("cross_attn.kv"):
            assert shape == (videos, 4, 32)  # the class's four tokens
        elif name.endswith("fc2"):
            assert shape == (*shapes[group][:-1], 128)
        else:
            assert shape == shapes[group]


def test_a_wrong_name_is_refused_with_the_names_of_this_model(model: VideoDiT) -> None:
    with pytest.raises(ValueError, match=r"unknown names blocks\.0\.attn\.k; .*blocks\.1\.cross_attn\.kv"):
        with_linears(model, {"blocks.0.attn.k": lambda x: x})
