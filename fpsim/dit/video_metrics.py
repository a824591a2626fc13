"""Three metrics for videos, one for each thing that a layer group may spoil.

They stand where the three of ViDiT-Q's mixed precision stand (arXiv 2406.02540): content, whether the right
digit is shown, for its CLIP score; appearance, how real the frames look, for its VQA; motion, how far the
digit strays from the trajectory asked for, for its optical flow. Each has a form against truth and one
against the same-noise samples of another arithmetic, which has no floor. All definitions here are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.dataset import DataSet
from fpsim.dit.domains import Domain, get_domain
from fpsim.dit.files import DATA_DIR
from fpsim.dit.hooks import Group
from fpsim.dit.image_metric import MetricPack
from fpsim.dit.metric_net import MetricNetConfig
from fpsim.dit.metrics import ImageMetric, Space, metric_bytes, read_metric
from fpsim.dit.training import Progress, train_metric_net
from fpsim.dit.video_digits import CANVAS, CLASSES, FRAMES, MOTIONS, velocity

STATISTICS_VIDEOS = 1437  # the first training videos, every digit once: with their frames FD compares
_FLAT = 1e-12  # ink products: rounding of the correlation of frames without ink

Quality = Literal["content", "appearance", "motion"]
# The metric by which a group's layers are ranked; ViDiT-Q pairs the groups with its three in the same way.
QUALITY_OF: dict[Group, Quality] = {
    "cross": "content",
    "spatial": "appearance",
    "ffn": "appearance",
    "temporal": "motion",
}


def check_videos(videos: Tensor, name: str = "videos") -> None:
    """Raise ValueError unless videos are a finite float tensor (N, 3, 12, 12), N >= 1."""
    shape = (FRAMES, CANVAS, CANVAS)
    if videos.ndim != 4 or tuple(videos.shape[1:]) != shape or len(videos) < 1:
        raise ValueError(f"{name}: shape {tuple(videos.shape)}, expected (N, 3, 12, 12) with N >= 1")
    if not videos.is_floating_point():
        raise ValueError(f"{name}: dtype {videos.dtype}, expected a float type")
    if not bool(videos.isfinite().all()):
        raise ValueError(f"{name}: NaN or infinity among the pixels")


def _check_conditions(conditions: Tensor, videos: Tensor) -> None:
    if conditions.shape != (len(videos), 2):
        raise ValueError(f"conditions: shape {tuple(conditions.shape)}, expected ({len(videos)}, 2)")
    if bool((conditions < 0).any()) or bool((conditions >= torch.tensor([CLASSES, MOTIONS])).any()):
        raise ValueError(f"conditions: expected digits 0 to {CLASSES - 1} and motions 0 to {MOTIONS - 1}")


def frames_of(videos: Tensor) -> Tensor:
    """The frames of videos (N, F, S, S) as images (N F, 1, S, S), on the same memory where possible."""
    return videos.reshape(-1, 1, *videos.shape[2:])


def shifts(origin: Tensor, moved: Tensor) -> NDArray[np.float64]:
    """How far the ink of one frame lies from that of another: the shift that matches them best.

    The match is the circular cross-correlation of the ink, `max(x, 0)`, so a faint background counts
    nothing; its peak is refined by a parabola along each axis. Matching follows the whole shape, where a
    centre of mass would also follow every error in the grey of a pixel. Frames without ink have the shift 0.

    Args:
        origin: float (..., 12, 12), finite.
        moved: the same shape.

    Returns:
        float64 (..., 2), rows and columns in pixels, -6.5 to 5.5.
    """
    first, second = (np.fft.rfft2(x.double().clamp(min=0).numpy()) for x in (origin, moved))
    matches = np.fft.irfft2(first.conj() * second, s=(CANVAS, CANVAS))
    flat = matches.reshape(-1, CANVAS, CANVAS)
    peaks = np.stack(np.unravel_index(flat.reshape(len(flat), -1).argmax(axis=1), (CANVAS, CANVAS)), axis=1)
    every, found = np.arange(len(flat)), np.empty((len(flat), 2))
    for axis in range(2):
        step = np.eye(2, dtype=np.int64)[axis]
        before, here, after = (flat[every, *((peaks + k * step) % CANVAS).T] for k in (-1, 0, 1))
        bend = before - 2 * here + after
        offset = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend < -_FLAT)
        found[:, axis] = (peaks[:, axis] + CANVAS // 2) % CANVAS - CANVAS // 2 + offset
    return found.reshape(*matches.shape[:-2], 2)


def tracks(videos: Tensor) -> NDArray[np.float64]:
    """Where the digit is in every frame, from where it is in the first: the sum of the shifts so far.

    Args:
        videos: float (N, 3, 12, 12), finite.

    Returns:
        float64 (N, 3, 2), rows and columns in pixels, 0 in the first frame; beyond the edges they go on.
    """
    check_videos(videos)
    steps = shifts(videos[:, :-1], videos[:, 1:])
    return np.concatenate([np.zeros((len(videos), 1, 2)), steps.cumsum(axis=1)], axis=1)


def motion_errors(videos: Tensor, conditions: Tensor) -> NDArray[np.float64]:
    """How far each digit is from the straight line that its motion asks for, in pixels.

    The line has the velocity of the condition and goes through the middle of the track, since a condition
    leaves the start open; the error is the mean distance over the frames. Zero for every real video.

    Args:
        videos: float (N, 3, 12, 12), finite.
        conditions: int64 (N, 2), digits and motions.

    Returns:
        float64 (N,).
    """
    _check_conditions(conditions, videos)
    velocities = np.array([velocity(motion) for motion in range(MOTIONS)], dtype=np.float64)
    asked = np.arange(FRAMES)[None, :, None] * velocities[conditions[:, 1].numpy()][:, None, :]
    stray = tracks(videos) - asked
    distances = np.linalg.norm(stray - stray.mean(axis=1, keepdims=True), axis=-1)
    errors: NDArray[np.float64] = distances.mean(axis=1)
    return errors


@dataclass(frozen=True)
class VideoMetric:
    """The three metrics; videos are float (N, 3, 12, 12), finite, and conditions int64 (N, 2).

    Attributes:
        frames: classifier and statistics of single frames.
    """

    frames: ImageMetric

    @torch.no_grad()
    def log_probabilities(self, videos: Tensor, conditions: Tensor) -> NDArray[np.float64]:
        """The classifier's log-probability of the digit asked for, in nats, float64 (N, 3)."""
        check_videos(videos)
        _check_conditions(conditions, videos)
        scores = self.frames.net(frames_of(videos).float()).double().log_softmax(dim=1)
        digits = conditions[:, :1].expand(-1, FRAMES)
        right: Tensor = scores.reshape(*digits.shape, CLASSES).gather(2, digits[..., None])
        return right[..., 0].numpy()

    def accuracy(self, videos: Tensor, conditions: Tensor) -> float:
        """Share of frames in which the classifier finds the digit asked for; saturates, so see `content`."""
        check_videos(videos)
        _check_conditions(conditions, videos)
        return self.frames.accuracy(frames_of(videos), conditions[:, 0].repeat_interleave(FRAMES))

    def content(self, videos: Tensor, conditions: Tensor) -> float:
        """Mean log-probability of the digit asked for, in nats, at most 0; more is better."""
        return float(self.log_probabilities(videos, conditions).mean())

    def appearance(self, videos: Tensor, space: Space = "cnn") -> float:
        """Frechet distance of the frames to training frames, at equal N only; less is better."""
        check_videos(videos)
        return self.frames.fd_to_train(frames_of(videos), space)

    def motion(self, videos: Tensor, conditions: Tensor) -> float:
        """Mean distance in pixels from the line asked for (`motion_errors`); less is better."""
        return float(motion_errors(videos, conditions).mean())

    def gaps(self, reference: Tensor, test: Tensor, conditions: Tensor) -> dict[Quality, float]:
        """What two arithmetics make of the same noise and conditions, one distance for each metric.

        Args:
            reference: videos of the one, usually FP32.
            test: videos of the other, same N.
            conditions: of both.

        Returns:
            Distances that are 0 where the videos agree. "content": mean absolute difference of the digit's
            log-probability over videos and frames, in nats. "appearance": Frechet distance of the two sets
            of frames. "motion": mean length of the shift between the two digits over videos and frames, in
            pixels.

        Raises:
            ValueError: on shapes that do not fit, or NaN.
        """
        check_videos(reference, "reference")
        check_videos(test, "test")
        if reference.shape != test.shape:
            raise ValueError(f"test: {len(test)} videos, expected {len(reference)} as in reference")
        score, changed = (self.log_probabilities(videos, conditions) for videos in (reference, test))
        return {
            "content": float(np.abs(changed - score).mean()),
            "appearance": self.frames.fd_between(frames_of(reference), frames_of(test)),
            "motion": float(np.linalg.norm(shifts(reference, test), axis=-1).mean()),
        }


def load_video_metric(domain: str = "video", directory: Path = DATA_DIR) -> VideoMetric:
    """Load the committed metric of a video domain, verified by hash.

    Raises:
        ValueError: if there is no such domain, or it is not one of videos.
        DataFileError: if the file is missing, truncated, altered, or its arrays do not fit.
    """
    own = get_domain(domain)
    if own.kind != "video":
        raise ValueError(f"domain={domain!r}: an {own.kind} domain, expected one of videos")
    return VideoMetric(read_metric(own, directory))


def train_video_metric(
    domain: Domain, data: DataSet, epochs: int, seed: int, progress: Progress
) -> MetricPack:
    """Train the classifier of single frames and pack it with their statistics.

    Args:
        domain: a video domain.
        data: its data set; only the training videos are used.
        epochs: passes over all of their frames, at least 1.
        seed: of weights, dropout and shuffles.
        progress: called after every step with (steps done, steps in all).
    """
    config = MetricNetConfig(domain.config.image, domain.config.classes)
    videos, conditions = data.train
    labels = conditions[:, 0].repeat_interleave(videos.shape[1])
    net = train_metric_net(
        frames_of(videos), labels, epochs=epochs, seed=seed, progress=progress, config=config
    )
    return MetricPack(metric_bytes(net.state, frames_of(videos[:STATISTICS_VIDEOS]), config), net.cpu_seconds)
