"""Distances against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from fpsim.dit.digits import load_digits
from fpsim.dit.metric_net import MetricNet, MetricNetConfig
from fpsim.dit.metrics import (
    GaussianStats,
    ImageMetric,
    frechet_distance,
    gaussian_stats,
    load_metric,
    metric_bytes,
    paired_mse,
    sqnr_db,
)


@pytest.fixture(scope="module")
def metric() -> ImageMetric:
    return load_metric()


@pytest.fixture(scope="module")
def real() -> tuple[Tensor, Tensor, Tensor]:
    digits = load_digits()
    return digits.train[0], *digits.test


def random_stats(seed: int, d: int = 6) -> GaussianStats:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d))
    return GaussianStats(rng.normal(size=d), root @ root.T)


def test_distance_of_diagonal_gaussians_is_the_closed_form() -> None:
    # Commuting covariances: |ma - mb|² + sum (sa - sb)².
    a = GaussianStats(np.array([1.0, -2.0, 0.0]), np.diag([4.0, 9.0, 0.0]))
    b = GaussianStats(np.array([0.0, 2.0, 3.0]), np.diag([1.0, 25.0, 16.0]))
    assert frechet_distance(a, b) == pytest.approx((1 + 16 + 9) + (1 + 4 + 16))


def test_distance_of_2x2_gaussians_is_the_closed_form() -> None:
    # In two dimensions tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)), M = Ca Cb; these do not commute.
    ca, cb = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -2.0], [-2.0, 1.5]])
    m = ca @ cb
    cross = math.sqrt(np.trace(m) + 2 * math.sqrt(np.linalg.det(m)))
    expected = np.trace(ca) + np.trace(cb) - 2 * cross
    zero = np.zeros(2)
    assert frechet_distance(GaussianStats(zero, ca), GaussianStats(zero, cb)) == pytest.approx(expected)


def test_distance_is_symmetric_zero_to_itself_and_blind_to_rotation() -> None:
    a, b = random_stats(0), random_stats(1)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    q, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))
    turned = [GaussianStats(q @ s.mean, q @ s.cov @ q.T) for s in (a, b)]
    assert frechet_distance(*turned) == pytest.approx(frechet_distance(a, b))


def test_statistics_are_those_of_numpy() -> None:
    x = np.random.default_rng(3).normal(size=(50, 4))
    stats = gaussian_stats(x)
    np.testing.assert_allclose(stats.mean, x.mean(axis=0))
    np.testing.assert_allclose(stats.cov, np.cov(x, rowvar=False))


def test_train_set_has_total_variance_100_and_distance_zero(
    metric: ImageMetric, real: tuple[Tensor, Tensor, Tensor]
) -> None:
    for space in ("cnn", "pixels"):
        assert np.trace(metric.train[space].cov) == pytest.approx(100, rel=1e-6)
        assert metric.fd_to_train(real[0], space) == pytest.approx(0, abs=1e-3)


def test_classifier_knows_real_digits_and_not_shuffled_labels(
    metric: ImageMetric, real: tuple[Tensor, Tensor, Tensor]
) -> None:
    _, images, labels = real
    assert metric.accuracy(images, labels) >= 0.99
    assert metric.accuracy(images, (labels + 1) % 10) < 0.02


def test_distance_grows_with_damage(metric: ImageMetric, real: tuple[Tensor, Tensor, Tensor]) -> None:
    _, images, _ = real
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    for space in ("cnn", "pixels"):
        distances = [metric.fd_between(images, images + s * noise, space) for s in (0.0, 0.1, 0.3, 1.0)]
        assert distances[0] == pytest.approx(0, abs=1e-6)
        assert distances == sorted(distances)
        assert metric.fd_to_train(images + noise, space) > 5 * metric.fd_to_train(images, space)


def test_metric_file_holds_its_own_statistics(real: tuple[Tensor, Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    state = MetricNet().state_dict()
    images = real[0][:100]
    assert metric_bytes(state, images) == metric_bytes(state, images)
    assert metric_bytes(state, images) != metric_bytes(state, real[0][:99])


def test_classifier_has_the_parameters_of_its_layers() -> None:
    layers = [(9, 32), (9 * 32, 64), (9 * 64, 64), (256, 32), (32, 10)]
    assert sum(p.numel() for p in MetricNet().parameters()) == sum(k * n + n for k, n in layers) == 64_298
    larger = MetricNet(MetricNetConfig(image=16, classes=26))
    assert sum(p.numel() for p in larger.parameters()) == 64_298 + 16 * 33
    between = MetricNet(MetricNetConfig(image=12))
    assert sum(p.numel() for p in between.parameters()) == 64_298 + 5 * 64 * 32
    assert between(torch.zeros(3, 1, 12, 12)).shape == (3, 10)
    images = torch.zeros(3, 1, 16, 16)
    assert larger.features(images).shape == (3, 32)
    assert larger(images).shape == (3, 26)


def test_larger_images_are_halved_after_every_convolution() -> None:
    """At 16 pixels a side the net is that of 8, behind one more halving of the first convolution's maps."""
    torch.manual_seed(0)
    small, large = MetricNet().eval(), MetricNet(MetricNetConfig(image=16)).eval()
    large.load_state_dict(small.state_dict())
    images = torch.randn(5, 1, 16, 16)
    maps = torch.relu(small.conv1(images))
    halved = torch.stack([maps[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).amax(dim=0)
    small.conv1 = torch.nn.Identity()  # type: ignore[assignment]
    torch.testing.assert_close(large(images), small(halved))


def test_illegal_classifiers_are_named() -> None:
    with pytest.raises(ValueError, match="image=10: expected 8, 12 or 16"):
        MetricNetConfig(image=10)
    with pytest.raises(ValueError, match="classes=1: expected at least 2"):
        MetricNetConfig(classes=1)


def test_sqnr_and_paired_error_of_known_noise() -> None:
    reference = torch.full((2, 1, 8, 8), 2.0)
    assert sqnr_db(reference, reference + 0.2) == pytest.approx(20, abs=1e-5)
    assert sqnr_db(reference, reference - 2.0) == 0
    assert sqnr_db(reference, reference) == math.inf
    assert paired_mse(reference, reference + 0.5) == 0.25


def test_refusals_name_the_argument(metric: ImageMetric) -> None:
    good = torch.zeros(4, 1, 8, 8)
    with pytest.raises(ValueError, match="images: NaN"):
        metric.fd_to_train(good * math.nan)
    with pytest.raises(ValueError, match=r"images: shape \(4, 8, 8\)"):
        metric.fd_to_train(good[:, 0])
    with pytest.raises(ValueError, match=r"images: dtype torch\.int64"):
        metric.features(good.long())
    with pytest.raises(ValueError, match=r"features: shape \(1, 32\)"):
        metric.fd_to_train(good[:1])
    with pytest.raises(ValueError, match="space='lda'"):
        metric.features(good, "lda")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"labels: shape \(3,\)"):
        metric.accuracy(good, torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ValueError, match="a, b: 6 and 5 dimensions"):
        frechet_distance(random_stats(0), random_stats(0, 5))
    with pytest.raises(ValueError, match="mean, cov: not finite"):
        GaussianStats(np.array([np.nan]), np.eye(1))
    with pytest.raises(ValueError, match="mean, cov: shapes"):
        GaussianStats(np.zeros(2), np.eye(3))
    with pytest.raises(ValueError, match="features: NaN"):
        gaussian_stats(np.full((3, 2), np.inf))
    with pytest.raises(ValueError, match="reference, test: shapes"):
        paired_mse(good, good[:2])
    with pytest.raises(ValueError, match="test: NaN"):
        sqnr_db(good + 1, good * math.nan)
    with pytest.raises(ValueError, match="reference: all zero"):
        sqnr_db(good, good)
