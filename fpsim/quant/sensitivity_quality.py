"""How much each sample changes in what a layer group is judged by: paired, so that sampling noise cancels.

ViDiT-Q (arXiv 2406.02540) ranks the layers of a group by that group's own metric. Here every metric is a
distance between two samples of the same noise, one number per sample, 0 where they agree; so a mean over a
few tens of them comes with a standard error. The definitions are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.hooks import Group
from fpsim.dit.metrics import ImageMetric
from fpsim.dit.video_metrics import QUALITY_OF, VideoMetric, frames_of, shifts

Measure = Literal["mse", "content", "appearance", "motion"]
Changes = dict[Measure, NDArray[np.float64]]
# (reference, test, labels) to the changes (N,) by measure.
Compare = Callable[[Tensor, Tensor, Tensor], Changes]

IMAGE_MEASURES: tuple[Measure, ...] = ("mse", "appearance")
VIDEO_MEASURES: tuple[Measure, ...] = ("mse", "content", "appearance", "motion")


def measure_of(group: Group, measures: tuple[Measure, ...]) -> Measure:
    """The metric that a group's layers are ranked by; images have appearance alone."""
    quality: Measure = QUALITY_OF[group]
    return quality if quality in measures else "appearance"


def image_changes(metric: ImageMetric) -> Compare:
    """ "mse": mean squared difference of the pixels. "appearance": squared distance of the features that the
    Frechet distance is taken over."""

    def compare(reference: Tensor, test: Tensor, labels: Tensor) -> Changes:
        return {"mse": _mse(reference, test), "appearance": _features(metric, reference, test)}

    return compare


def video_changes(metric: VideoMetric) -> Compare:
    """As for images, appearance a mean over frames, and "content": absolute difference of the asked digit's
    log-probability in nats, mean over frames; "motion": shift between the two digits in pixels, likewise."""

    def compare(reference: Tensor, test: Tensor, labels: Tensor) -> Changes:
        score, changed = (metric.log_probabilities(videos, labels) for videos in (reference, test))
        frames = _features(metric.frames, frames_of(reference), frames_of(test))
        return {
            "mse": _mse(reference, test),
            "content": np.abs(changed - score).mean(axis=1),
            "appearance": frames.reshape(len(reference), -1).mean(axis=1),
            "motion": np.linalg.norm(shifts(reference, test), axis=-1).mean(axis=1),
        }

    return compare


def _mse(reference: Tensor, test: Tensor) -> NDArray[np.float64]:
    squares = (reference.double() - test.double()).square().flatten(1)
    means: NDArray[np.float64] = squares.mean(dim=1).numpy()
    return means


def _features(metric: ImageMetric, reference: Tensor, test: Tensor) -> NDArray[np.float64]:
    apart = metric.features(test) - metric.features(reference)
    squares: NDArray[np.float64] = np.square(apart).sum(axis=1)
    return squares
