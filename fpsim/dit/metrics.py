"""How far generated images are from real ones, and from those of another arithmetic.

The Frechet distance (arXiv 1706.08500, equation 6) is taken over the features of a small classifier and over
raw pixels, both scaled so that the training set's total variance is 100.

Compare only at equal sample counts: a finite sample's covariance is off by a term of the order of 1/n, so the
distance to fixed statistics falls as n grows even when the generator is perfect. The model card states the
floor. The distance to same-noise FP32 samples has no such floor and sees much smaller effects.
"""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.domains import DEFAULT_DOMAIN, Domain, get_domain
from fpsim.dit.files import DATA_DIR, DataFileError, read_verified
from fpsim.dit.metric_net import MetricNet, MetricNetConfig

TOTAL_VARIANCE = 100.0

Space = Literal["cnn", "pixels"]
SPACES: tuple[Space, ...] = ("cnn", "pixels")


@dataclass(frozen=True)
class GaussianStats:
    """Mean float64 (D,) and unbiased covariance float64 (D, D) of a set of feature vectors."""

    mean: NDArray[np.float64]
    cov: NDArray[np.float64]

    def __post_init__(self) -> None:
        d = self.mean.shape[0] if self.mean.ndim == 1 else -1
        if self.cov.shape != (d, d) or d < 1:
            raise ValueError(f"mean, cov: shapes {self.mean.shape}, {self.cov.shape}, expected (D,), (D, D)")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.cov).all()):
            raise ValueError("mean, cov: not finite")


def gaussian_stats(features: NDArray[np.float64]) -> GaussianStats:
    """Mean and covariance of features (N, D), N >= 2, all finite."""
    if features.ndim != 2 or features.shape[0] < 2:
        raise ValueError(f"features: shape {features.shape}, expected (N, D) with N >= 2")
    if not np.isfinite(features).all():
        raise ValueError("features: NaN or infinity among them")
    centred = features - features.mean(axis=0)
    return GaussianStats(features.mean(axis=0), centred.T @ centred / (len(features) - 1))


def frechet_distance(a: GaussianStats, b: GaussianStats) -> float:
    """`|ma - mb|² + tr(Ca + Cb - 2 (Ca Cb)^½)`, at least 0, in squared feature units.

    The trace of the root is that of `(Ca^½ Cb Ca^½)^½`, a symmetric matrix: two `eigh`, no general root, and
    singular covariances need no jitter. Negative eigenvalues, rounding only, count as 0.

    Raises:
        ValueError: if the dimensions differ.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"a, b: {a.mean.shape[0]} and {b.mean.shape[0]} dimensions, expected equal")
    values, vectors = np.linalg.eigh(a.cov)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    product = root @ b.cov @ root
    cross = np.sqrt(np.linalg.eigvalsh((product + product.T) / 2).clip(min=0)).sum()
    distance = ((a.mean - b.mean) ** 2).sum() + np.trace(a.cov) + np.trace(b.cov) - 2 * cross
    return max(0.0, float(distance))


def _check_pair(reference: Tensor, test: Tensor) -> None:
    if reference.shape != test.shape or reference.numel() == 0:
        raise ValueError(
            f"reference, test: shapes {tuple(reference.shape)}, {tuple(test.shape)}, "
            f"expected equal and not empty"
        )
    for name, values in (("reference", reference), ("test", test)):
        if not bool(values.isfinite().all()):
            raise ValueError(f"{name}: NaN or infinity among the values")


def paired_mse(reference: Tensor, test: Tensor) -> float:
    """Mean squared difference of two image sets made from the same noise, (N, C, S, S), pixels in [-1, 1]."""
    _check_pair(reference, test)
    return float((reference.double() - test.double()).square().mean())


def sqnr_db(reference: Tensor, test: Tensor) -> float:
    """Signal to quantization noise, `10 log10(sum reference² / sum (reference - test)²)` in dB.

    Infinite when both are equal. Raises ValueError if the reference is all zero, or on NaN or unequal shapes.
    """
    _check_pair(reference, test)
    signal = float(reference.double().square().sum())
    noise = float((reference.double() - test.double()).square().sum())
    if signal == 0:
        raise ValueError("reference: all zero, the ratio is undefined")
    return math.inf if noise == 0 else 10 * math.log10(signal / noise)


def check_images(images: Tensor, side: int, name: str = "images") -> None:
    """Raise ValueError unless images are a finite float tensor (N, 1, side, side), N >= 1."""
    if images.ndim != 4 or tuple(images.shape[1:]) != (1, side, side) or len(images) < 1:
        raise ValueError(f"{name}: shape {tuple(images.shape)}, expected (N, 1, {side}, {side}) with N >= 1")
    if not images.is_floating_point():
        raise ValueError(f"{name}: dtype {images.dtype}, expected a float type")
    if not bool(images.isfinite().all()):
        raise ValueError(f"{name}: NaN or infinity among the pixels")


@dataclass(frozen=True)
class ImageMetric:
    """Classifier, feature scales and training-set statistics of an image domain, images (N, 1, S, S).

    Attributes:
        net: the classifier, FP32 from FP16 weights, in evaluation mode.
        scales: per space, the factor that brings the training set's total variance to 100.
        train: per space, statistics of the training images, scaled.
    """

    net: MetricNet
    scales: dict[Space, float]
    train: dict[Space, GaussianStats]

    @torch.no_grad()
    def features(self, images: Tensor, space: Space = "cnn") -> NDArray[np.float64]:
        """Scaled features of images (N, 1, S, S): float64 (N, 32) for "cnn", (N, S²) for "pixels"."""
        check_images(images, self.net.config.image)
        if space not in SPACES:
            raise ValueError(f"space={space!r}: expected one of {', '.join(SPACES)}")
        raw = self.net.features(images.float()) if space == "cnn" else images.flatten(1)
        return raw.double().numpy() * self.scales[space]

    def fd_to_train(self, images: Tensor, space: Space = "cnn") -> float:
        """Frechet distance of images (N, 1, S, S) to the training set; depends on N, compare at equal N."""
        return frechet_distance(gaussian_stats(self.features(images, space)), self.train[space])

    def fd_between(self, a: Tensor, b: Tensor, space: Space = "cnn") -> float:
        """Frechet distance of two image sets; of same-noise samples, 0 exactly where they agree."""
        stats = [gaussian_stats(self.features(images, space)) for images in (a, b)]
        return frechet_distance(*stats)

    @torch.no_grad()
    def accuracy(self, images: Tensor, labels: Tensor) -> float:
        """Share of images (N, 1, S, S) that the classifier gives their label (N,), 0 to 1."""
        check_images(images, self.net.config.image)
        if labels.shape != images.shape[:1]:
            raise ValueError(f"labels: shape {tuple(labels.shape)}, expected ({len(images)},)")
        predicted: Tensor = self.net(images.float()).argmax(dim=1)
        return float((predicted == labels).double().mean())


def metric_bytes(
    state: dict[str, Tensor], train_images: Tensor, config: MetricNetConfig | None = None
) -> bytes:
    """The metric as the bytes of an npz file: FP16 classifier, FP64 scales and statistics.

    Args:
        state: state dict of a trained `MetricNet`.
        train_images: float32 (N, 1, S, S), what the statistics describe.
        config: shape of the classifier; the default is that of the digits.
    """
    config = config or MetricNetConfig()
    check_images(train_images, config.image, "train_images")
    arrays: dict[str, NDArray[np.generic]] = {
        f"net.{name}": value.detach().to(torch.float16).numpy() for name, value in state.items()
    }
    metric = ImageMetric(_net(arrays, config), {"cnn": 1.0, "pixels": 1.0}, {})
    for space in SPACES:
        features = metric.features(train_images, space)
        scale = math.sqrt(TOTAL_VARIANCE / features.var(axis=0, ddof=1).sum())
        stats = gaussian_stats(features * scale)
        arrays |= {
            f"{space}.scale": np.array(scale),
            f"{space}.mean": stats.mean,
            f"{space}.cov": stats.cov,
        }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _net(arrays: dict[str, NDArray[np.generic]], config: MetricNetConfig) -> MetricNet:
    net = MetricNet(config)
    prefix = "net."
    state = {
        name.removeprefix(prefix): torch.from_numpy(np.asarray(value, dtype=np.float32))
        for name, value in arrays.items()
        if name.startswith(prefix)
    }
    net.load_state_dict(state, strict=True)
    return net.eval().requires_grad_(False)


def load_metric(domain: str = DEFAULT_DOMAIN, directory: Path = DATA_DIR) -> ImageMetric:
    """Load the committed metric of an image domain, verified by hash.

    Raises:
        ValueError: if there is no such domain, or it is not one of images.
        DataFileError: if the file is missing, truncated, altered, or its arrays do not fit.
    """
    own = get_domain(domain)
    if own.kind != "image":
        raise ValueError(f"domain={domain!r}: a {own.kind} domain, expected one of images")
    return read_metric(own, directory)


def read_metric(own: Domain, directory: Path) -> ImageMetric:
    """The metric of images, or of the frames of videos, in a domain's metric file, verified by hash.

    Raises:
        DataFileError: if the file is missing, truncated, altered, or its arrays do not fit.
    """
    config = MetricNetConfig(own.config.image, own.config.classes)
    source = directory / own.metric_file
    content = read_verified(own.metric_file, directory)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        scales = {space: float(arrays[f"{space}.scale"]) for space in SPACES}
        train = {space: GaussianStats(arrays[f"{space}.mean"], arrays[f"{space}.cov"]) for space in SPACES}
        return ImageMetric(_net(arrays, config), scales, train)
    except (KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise DataFileError(f"{source}: not a metric file: {error}") from error
