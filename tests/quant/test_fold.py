"""Folded scales and shifts change what a linear is fed, as asked, and not what the model computes."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fpsim.dit.checkpoint import load_noise
from fpsim.dit.hooks import block_linears, observe
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig
from fpsim.dit.workload import load_model
from fpsim.quant.fold import can_fold, fold_inputs, share_equal

SHAPES = [DiTConfig(hidden=32, depth=1, heads=1), DiTConfig(hidden=48, depth=2, heads=3)]


def random_dit(config: DiTConfig, seed: int) -> DiT:
    torch.manual_seed(seed)
    return noisy(DiT(config))


def noisy(model):  # type: ignore[no-untyped-def]
    """Random weights everywhere, so that no branch is switched off by a zero gate."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval().requires_grad_(False)


def random_fold(model, seed: int) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    names = {
        name: linear.in_features for name, linear in block_linears(model).items() if can_fold(model, name)
    }
    return (
        {name: np.exp(rng.normal(0, 1, k)) for name, k in names.items()},
        {name: rng.normal(0, 2, k) for name, k in names.items()},
    )


def inputs(model, *arguments: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:  # type: ignore[no-untyped-def]
    seen: dict[str, torch.Tensor] = {}
    with observe(model, lambda name, x: seen.__setitem__(name, x.clone())), torch.inference_mode():
        result = model(*arguments)
    return seen, result


def holds(model, folded, scale, shift, *arguments: torch.Tensor) -> None:  # type: ignore[no-untyped-def]
    """Every linear sees (x - z) / s, and the output is the same, both to float32's last digits."""
    before, expected = inputs(model, *arguments)
    after, got = inputs(folded, *arguments)
    assert float((got - expected).norm()) < 1e-5 * float(expected.norm())
    for name, x in before.items():
        s = torch.from_numpy(scale.get(name, np.ones(x.shape[-1])))
        z = torch.from_numpy(shift.get(name, np.zeros(x.shape[-1])))
        wanted = (x.double() - z) / s
        assert float((after[name] - wanted).norm()) < 1e-5 * float(wanted.norm())


@pytest.mark.parametrize("config", SHAPES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_random_model_computes_the_same_from_scaled_and_shifted_inputs(
    config: DiTConfig, seed: int
) -> None:
    model = random_dit(config, seed)
    before = copy.deepcopy(model.state_dict())
    scale, shift = random_fold(model, seed)
    folded = fold_inputs(model, scale, shift)
    noise = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    for timestep in (999, 400, 0):
        holds(model, folded, scale, shift, noise, torch.full((3,), timestep), torch.arange(3))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_digits_model_computes_the_same_at_several_timesteps() -> None:
    model, start = load_model("digits"), load_noise(5)
    scale, shift = random_fold(model, 7)
    assert len(scale) == 18  # qkv, proj and fc1 of six blocks
    folded = fold_inputs(model, scale, shift)
    for timestep in (999, 526, 53, 0):
        holds(model, folded, scale, shift, start.noise, torch.full((5,), timestep), start.labels)


def test_a_video_model_folds_what_follows_an_attention() -> None:
    torch.manual_seed(2)
    config = VideoDiTConfig(depth=2)
    model = noisy(VideoDiT(config))
    scale, shift = random_fold(model, 3)
    parts = {name.split(".", 2)[2] for name in scale}
    assert parts == {"attn.proj", "attn_temp.proj", "cross_attn.proj"}
    noise = torch.randn(
        2, config.frames, config.image, config.image, generator=torch.Generator().manual_seed(1)
    )
    arguments = noise, torch.full((2,), 300), torch.tensor([[0, 1], [2, 0]])
    holds(model, fold_inputs(model, scale, shift), scale, shift, *arguments)


def test_shifts_alone_leave_the_layers_weights_bit_for_bit() -> None:
    """So phases with their own shifts share the codes of their weights."""
    model = random_dit(SHAPES[1], 4)
    scale, shift = random_fold(model, 5)
    one, two = fold_inputs(model, scale), fold_inputs(model, scale, shift)
    for name, linear in block_linears(one).items():
        assert torch.equal(linear.weight, block_linears(two)[name].weight)
    holds(
        model,
        fold_inputs(model, {}, shift),
        {},
        shift,
        torch.ones(2, 1, 8, 8),
        torch.tensor([9, 9]),
        torch.arange(2),
    )


def test_sharing_leaves_only_what_differs_and_the_same_function() -> None:
    model = random_dit(SHAPES[1], 6)
    scale, shift = random_fold(model, 7)
    one, two = fold_inputs(model, scale), fold_inputs(model, scale, shift)
    arguments = torch.ones(2, 1, 8, 8), torch.tensor([9, 9]), torch.arange(2)
    with torch.inference_mode():
        before = two(*arguments)
        assert torch.equal(share_equal(two, one)(*arguments), before)
    shared = {name for name, p in two.named_parameters() if p is one.get_parameter(name)}
    own = {name.split(".", 2)[2] for name, _ in two.named_parameters() if name not in shared}
    assert own == {"adaLN_modulation.1.bias", "attn.qkv.bias", "attn.proj.bias", "mlp.fc1.bias"}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("blocks.0.mlp.fc2", lambda s: s, r"'blocks.0.mlp.fc2': expected one of blocks.0.attn.qkv, "),
        ("blocks.9.attn.qkv", lambda s: s, r"'blocks.9.attn.qkv': expected one of blocks.0.attn.qkv, "),
        ("blocks.0.attn.qkv", lambda s: s[1:], r"scale: blocks.0.attn.qkv: shape \(31,\), expected \(32,\)"),
        ("blocks.0.attn.qkv", lambda s: s * np.nan, "scale: blocks.0.attn.qkv: .*finite values"),
        ("blocks.0.attn.qkv", lambda s: s * 0, "smallest 0.0, expected positive factors"),
    ],
)
def test_what_cannot_be_folded_is_refused(
    name: str, change: Callable[[NDArray[np.float64]], NDArray[np.float64]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fold_inputs(random_dit(SHAPES[0], 1), {name: change(np.ones(32))})
