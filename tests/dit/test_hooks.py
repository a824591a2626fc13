"""The seam: linears replaced and observed by name."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from fpsim.dit.hooks import block_linears, observe, with_linears
from fpsim.dit.model import DiT, DiTConfig

CONFIG = DiTConfig(hidden=32, depth=2, heads=2)


@pytest.fixture
def model() -> DiT:
    torch.manual_seed(0)
    made = DiT(CONFIG)
    with torch.no_grad():
        for weight in made.parameters():
            if weight.requires_grad:
                weight.normal_(std=0.2)
    return made.eval()


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    x = torch.randn((3, 1, 8, 8), generator=torch.Generator().manual_seed(1))
    return x, torch.tensor([0, 500, 999]), torch.tensor([1, 2, 10])


def test_digits_model_has_24_linears_in_execution_order() -> None:
    names = list(block_linears(DiT()))
    assert len(names) == 24
    assert names[:5] == [
        "blocks.0.attn.qkv",
        "blocks.0.attn.proj",
        "blocks.0.mlp.fc1",
        "blocks.0.mlp.fc2",
        "blocks.1.attn.qkv",
    ]


def test_own_linears_give_the_same_bits(model: DiT, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    plain = model(*batch)
    own = {name: copy.deepcopy(linear) for name, linear in block_linears(model).items()}
    assert torch.equal(with_linears(model, own)(*batch), plain)


def test_replacing_leaves_the_original_and_shares_no_weights(
    model: DiT, batch: tuple[Tensor, Tensor, Tensor]
) -> None:
    plain = model(*batch)
    name = "blocks.1.mlp.fc2"
    changed = with_linears(model, {name: lambda x: torch.zeros((*x.shape[:-1], 32))})
    assert not torch.allclose(changed(*batch), plain)
    with torch.no_grad():
        for weight in changed.parameters():
            weight.fill_(7.0)
    assert torch.equal(model(*batch), plain)
    assert isinstance(model.get_submodule(name), nn.Linear)


def test_every_linear_is_called_through_the_seam(model: DiT, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    plain = model(*batch)
    for name, linear in block_linears(model).items():
        doubled = with_linears(model, {name: lambda x, linear=linear: 2 * linear(x)})
        assert not torch.allclose(doubled(*batch), plain, rtol=1e-3), name


def test_observer_sees_inputs_in_order_and_leaves(model: DiT, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    seen: list[tuple[str, tuple[int, ...]]] = []
    with observe(model, lambda name, x: seen.append((name, tuple(x.shape)))):
        model(*batch)
    model(*batch)
    expected = [(name, (3, 16, 128 if name.endswith("fc2") else 32)) for name in block_linears(model)]
    assert seen == expected


def test_observed_input_is_what_the_linear_gets(model: DiT, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    received: list[Tensor] = []
    observed: list[Tensor] = []
    linear = block_linears(model)["blocks.1.mlp.fc1"]

    def spy(x: Tensor) -> Tensor:
        received.append(x.clone())
        y: Tensor = linear(x)
        return y

    replaced = with_linears(model, {"blocks.1.mlp.fc1": spy})

    def callback(name: str, x: Tensor) -> None:
        if name == "blocks.1.mlp.fc1":
            observed.append(x.clone())

    with observe(replaced, callback):
        replaced(*batch)
    assert len(received) == len(observed) == 1
    assert torch.equal(received[0], observed[0])


def test_observer_is_removed_after_an_error(model: DiT, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    calls = []

    def fail(name: str, x: Tensor) -> None:
        calls.append(name)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"), observe(model, fail):
        model(*batch)
    model(*batch)
    assert calls == ["blocks.0.attn.qkv"]


def test_wrong_names_shapes_and_dtypes_are_named(model: DiT, batch: tuple[Tensor, Tensor, Tensor]) -> None:
    with pytest.raises(ValueError, match=r"linears: unknown names final_layer\.linear"):
        with_linears(model, {"final_layer.linear": lambda x: x})
    narrow = with_linears(model, {"blocks.0.attn.proj": lambda x: x[..., :31]})
    with pytest.raises(
        ValueError, match=r"linears\['blocks.0.attn.proj'\]: gave torch.float32 \(3, 16, 31\)"
    ):
        narrow(*batch)
    double = with_linears(model, {"blocks.0.attn.proj": lambda x: x.double()})
    with pytest.raises(ValueError, match=r"gave torch\.float64"):
        double(*batch)
    with pytest.raises(ValueError, match=r"blocks\.0\.attn\.proj is a ReplacedLinear"):
        block_linears(double)
