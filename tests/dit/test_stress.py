"""Synthetic outliers: large activations, unchanged function."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from fpsim.dit.checkpoint import load_digits_dit, load_noise
from fpsim.dit.hooks import observe
from fpsim.dit.model import DiT
from fpsim.dit.stress import add_outliers, outlier_channels


@pytest.fixture(scope="module")
def model() -> DiT:
    return load_digits_dit()[0]


def batch() -> tuple[Tensor, Tensor, Tensor]:
    stored = load_noise(40)
    return stored.noise, torch.arange(40) * 25, stored.labels


def channel_maxima(model: DiT) -> dict[str, Tensor]:
    maxima: dict[str, Tensor] = {}
    with observe(model, lambda name, x: maxima.update({name: x.abs().amax(dim=(0, 1))})):
        model(*batch())
    return maxima


def test_fp32_function_is_preserved(model: DiT) -> None:
    before = copy.deepcopy(model.state_dict())
    plain, stressed = model(*batch()), add_outliers(model)(*batch())
    relative = ((plain - stressed).square().mean() / plain.square().mean()).sqrt().item()
    assert 0 < relative < 1e-6
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_chosen_channels_grow_by_alpha_and_no_other(model: DiT) -> None:
    plain, stressed = (
        channel_maxima(model),
        channel_maxima(add_outliers(model, alpha=8.0, channels=3, seed=4)),
    )
    chosen = outlier_channels(model.config, channels=3, seed=4)
    assert len(chosen) == 12
    for name, maxima in plain.items():
        growth = torch.ones_like(maxima)
        growth[list(chosen.get(name, ()))] = 8.0
        torch.testing.assert_close(stressed[name], maxima * growth, rtol=1e-3, atol=1e-4)


def test_choice_is_distinct_seeded_and_differs_by_layer(model: DiT) -> None:
    chosen = outlier_channels(model.config, channels=5)
    assert all(len(set(places)) == 5 for places in chosen.values())
    assert len(set(chosen.values())) == len(chosen)
    assert chosen == outlier_channels(model.config, channels=5)
    assert chosen != outlier_channels(model.config, channels=5, seed=1)


def test_illegal_arguments_are_named(model: DiT) -> None:
    for alpha in (1.0, 12.0, -16.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=f"alpha={alpha}"):
            add_outliers(model, alpha=alpha)
    for channels in (0, 97):
        with pytest.raises(ValueError, match=f"channels={channels}"):
            add_outliers(model, channels=channels)
