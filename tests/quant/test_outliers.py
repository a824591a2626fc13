"""Outlier figures against scipy.stats, the normal distribution, and models whose outliers are known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from fpsim.dit.checkpoint import load_noise
from fpsim.dit.hooks import block_linears, observe
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.stress import outlier_channels
from fpsim.dit.workload import load_model
from fpsim.quant.outliers import LayerOutliers, measure_outliers, spread
from fpsim.quant.rotation import random_signs, rotate_columns


@pytest.mark.parametrize("seed", range(3))
def test_moments_are_scipys(seed: int) -> None:
    x = np.random.default_rng(seed).gamma(0.7, size=(40, 9)) - 0.3
    got = spread(x)
    assert got.skewness == pytest.approx(scipy.stats.skew(x, axis=None), rel=1e-12)
    assert got.kurtosis == pytest.approx(scipy.stats.kurtosis(x, axis=None, fisher=False), rel=1e-12)
    assert got.rms == pytest.approx(np.linalg.norm(x, axis=0) / np.sqrt(40), rel=1e-12)
    assert got.rms_ratio == pytest.approx(got.rms.max() / np.median(got.rms), rel=1e-12)
    assert (got.absmax == np.abs(x).max(axis=0)).all()


def test_normal_rows_have_the_normal_distributions_figures() -> None:
    """10 000 rows: a channel's RMS is within 4 standard deviations, 4 / sqrt(2 · 10 000), of 1."""
    got = spread(np.random.default_rng(1).standard_normal((10_000, 96)))
    assert np.abs(got.rms - 1).max() < 4 / np.sqrt(2 * 10_000)
    assert got.skewness == pytest.approx(0, abs=4 * np.sqrt(6 / 960_000))
    assert got.kurtosis == pytest.approx(3, abs=4 * np.sqrt(24 / 960_000))
    middle = scipy.stats.halfnorm.ppf(0.5 ** (1 / 10_000))  # the median of the largest of 10 000 magnitudes
    assert np.median(got.absmax) == pytest.approx(middle, rel=0.02)
    assert got.absmax_ratio < 1.5
    assert got.off_centre < 0.1


def test_ratios_and_centres_by_hand() -> None:
    got = spread(np.array([[2.0, 0, -1, 6], [4, 0, 1, 8]]))
    assert got.absmax.tolist() == [4, 0, 1, 8]
    assert got.absmax_ratio == 8 / 2.5
    assert got.off_centre == 1.5  # 3 / 1, 0, 0, 7 / 1: the median of 0, 0, 3, 7
    silent = spread(np.zeros((2, 3)))
    assert (silent.absmax_ratio, silent.rms_ratio, silent.kurtosis, silent.skewness) == (1, 1, 0, 0)
    assert spread(np.array([[0.0, 0, 5]])).absmax_ratio == np.inf


@pytest.mark.parametrize("x", [np.zeros(3), np.zeros((0, 3)), np.array([[np.nan]])])
def test_what_is_no_matrix_of_numbers_is_refused(x: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="x: shape"):
        spread(x)


@pytest.fixture(scope="module")
def small() -> DiT:
    torch.manual_seed(3)
    dit = DiT(DiTConfig(hidden=48, depth=1, heads=1))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return dit.eval().requires_grad_(False)


def test_every_layer_is_measured_at_every_step_before_and_after_rotation(small: DiT) -> None:
    noise, labels = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(2)), torch.arange(3)
    found = measure_outliers(small, noise, labels, rotations=(None, 16, "full"), steps=3)
    assert [(layer.name, layer.rotation) for layer in found] == [
        (name, n) for name, linear in block_linears(small).items() for n in (None, 16, linear.in_features)
    ]
    seen: dict[str, torch.Tensor] = {}
    with observe(small, lambda name, x: seen.__setitem__(name, x.clone())), torch.inference_mode():
        small(noise, torch.full((3,), 999), labels)
    for layer in found:
        assert layer.timesteps == (999, 500, 0)
        rows = seen[layer.name].reshape(-1, seen[layer.name].shape[-1]).double().numpy()
        if layer.rotation is not None:
            rows = rotate_columns(rows, layer.rotation, random_signs(rows.shape[1], 0, layer.name))
        first = spread(rows)
        assert layer.steps[0].kurtosis == pytest.approx(first.kurtosis, rel=1e-6)
        assert layer.steps[0].rms == pytest.approx(first.rms, rel=1e-6)
        pooled = np.sqrt(np.mean([np.square(step.rms) for step in layer.steps], axis=0))
        assert layer.whole.rms == pytest.approx(pooled, rel=1e-12)
        assert (layer.whole.high == np.max([step.high for step in layer.steps], axis=0)).all()
        assert layer.worst_absmax_ratio >= layer.steps[0].absmax_ratio
        assert (layer.drift >= 1).all()


def test_drift_is_loudest_over_quietest() -> None:
    steps = tuple(spread(np.array([row])) for row in ([1.0, 2, 0, 0], [4, -1, 3, 0]))
    layer = LayerOutliers("layer", None, (9, 0), steps, steps[0])
    assert layer.drift.tolist() == [4, 2, np.inf, 1]


def by_place(model: DiT) -> dict[tuple[str, int | None], LayerOutliers]:
    start = load_noise(4)
    found = measure_outliers(model, start.noise, start.labels, rotations=(None, "full"), steps=2)
    return {(layer.name, layer.rotation): layer for layer in found}


def test_planted_outliers_are_found_and_rotation_spreads_them() -> None:
    """digits-stress multiplies two known channels per norm by 16."""
    model = load_model("digits-stress")
    plain, stressed = by_place(load_model("digits")), by_place(model)
    for name, channels in outlier_channels(model.config).items():
        gain = stressed[name, None].whole.rms / plain[name, None].whole.rms
        assert set(np.flatnonzero(gain > 15).tolist()) == set(channels)
        assert stressed[name, None].whole.kurtosis > 3 * stressed[name, 96].whole.kurtosis
        assert stressed[name, None].worst_absmax_ratio > 2 * stressed[name, 96].worst_absmax_ratio
