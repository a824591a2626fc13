"""The model card of a video domain: measure its checkpoint and render the domain's template."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.checkpoint import load_noise
from fpsim.dit.dataset import DataSet
from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.digits import load_digits
from fpsim.dit.domains import Domain
from fpsim.dit.image_card import Figures, card, spread
from fpsim.dit.video_digits import DIGIT
from fpsim.dit.video_metrics import VideoMetric, load_video_metric
from fpsim.dit.video_model import VideoDiT
from fpsim.dit.video_workload import load_video_dit

COUNTS = (250, 500)  # sample counts of the noise-floor table; the last is that of every other figure
NEAR_RMS = 1 / 8  # difference per pixel of the digit below which it counts as a near copy
_AT_ONCE = 50  # videos whose windows are compared with every training digit in one go


def video_figures(metric: VideoMetric, videos: Tensor, conditions: Tensor) -> Figures:
    """The three metrics, the Frechet distance over pixels, and the classifier's accuracy."""
    return {
        "content": metric.content(videos, conditions),
        "accuracy": metric.accuracy(videos, conditions),
        "appearance": metric.appearance(videos),
        "pixels": metric.appearance(videos, "pixels"),
        "motion": metric.motion(videos, conditions),
    }


def nearest_digits(videos: Tensor, digits: Tensor) -> NDArray[np.float64]:
    """How near the first frame of every video comes to a digit, wherever it stands.

    Args:
        videos: float32 (N, F, S, S).
        digits: float32 (M, 1, 8, 8), for example all training digits.

    Returns:
        float64 (N,), the least Euclidean distance of an 8x8 window of the frame to one of the digits.
    """
    windows = videos[:, 0].unfold(1, DIGIT, 1).unfold(2, DIGIT, 1).flatten(3).flatten(1, 2)
    known = digits.flatten(1)
    nearest: list[Tensor] = [
        torch.cdist(part.flatten(0, 1), known).amin(dim=1).reshape(len(part), -1).amin(dim=1)
        for part in torch.split(windows, _AT_ONCE)
    ]
    return torch.cat(nearest).double().numpy()


def _floor(metric: VideoMetric, runs: list[Tensor], conditions: Tensor) -> dict[int, dict[str, Any]]:
    """Per sample count, mean and sd over the runs; `appearance_seeds` is between one run and the next."""
    table: dict[int, dict[str, Any]] = {}
    for n in COUNTS:
        figures = [video_figures(metric, run[:n], conditions[:n]) for run in runs]
        table[n] = {key: spread([f[key] for f in figures]) for key in figures[0]}
        pairs = zip(runs, [*runs[1:], runs[0]], strict=True)
        gaps = [metric.gaps(a[:n], b[:n], conditions[:n]) for a, b in pairs]
        table[n]["appearance_seeds"] = spread([gap["appearance"] for gap in gaps])
    return table


def _memory(videos: Tensor, test: Tensor) -> dict[str, Figures]:
    """Distances to the nearest training digit of generated and of real test videos."""
    digits, near = load_digits().train[0], NEAR_RMS * DIGIT
    nearest = {name: nearest_digits(x, digits) for name, x in (("generated", videos), ("test", test))}
    return {
        name: {"median": float(np.median(d)), "minimum": float(d.min()), "near": float((d < near).mean())}
        for name, d in nearest.items()
    }


def measure(
    domain: Domain,
    model: VideoDiT,
    metric: VideoMetric,
    data: DataSet,
    *,
    noise: tuple[Tensor, Tensor],
    seeds: int,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """All figures of the card that are measured.

    Args:
        domain: what is measured, a video domain.
        model: its FP32 baseline.
        metric: its metric.
        data: training and test videos.
        noise: the stored starting points, noise and conditions, at least 500.
        seeds: noise seeds of the floor, at least 2.
        progress: called with the name of each stage as it begins.

    Returns:
        Figures by name, as the template uses them.
    """
    count = max(COUNTS)
    start_points, conditions = noise[0][:count], noise[1][:count]
    test, test_conditions = (part[:count] for part in data.test)
    progress("stored noise")
    start = time.process_time()
    videos = ddim_sample(model, start_points, conditions)
    seconds = time.process_time() - start
    runs = []
    for seed in range(seeds):
        progress(f"noise seed {seed}")
        generator = torch.Generator().manual_seed(10_000 + seed)
        runs.append(ddim_sample(model, torch.randn((count, *domain.shape), generator=generator), conditions))
    progress("50 steps")
    fine = ddim_sample(model, start_points, conditions, steps=50)
    progress("guidance 1.5")
    guided = ddim_sample(model, start_points, conditions, cfg_scale=1.5, null_label=domain.null)
    return {
        "seeds": seeds,
        "count": count,
        "sample_seconds": seconds,
        "stored": video_figures(metric, videos, conditions),
        "fine": video_figures(metric, fine, conditions),
        "guided": video_figures(metric, guided, conditions),
        "real": video_figures(metric, test, test_conditions),
        "floor": _floor(metric, runs, conditions),
        "memory": _memory(videos, test),
        "near_distance": NEAR_RMS * DIGIT,
        "train_count": len(data.train_images),
        "test_count": len(data.test_images),
    }


def video_card(domain: Domain, directory: Path, seeds: int, progress: Callable[[str], None]) -> str:
    """Measure the workload in a folder and return its card.

    Args:
        domain: a video domain.
        directory: folder with its data files.
        seeds: noise seeds of the floor, at least 2.
        progress: called with the name of each stage as it begins.
    """
    model, metadata = load_video_dit(domain.name, directory)
    metric, data = load_video_metric(domain.name, directory), domain.load()
    stored = load_noise(domain=domain.name, directory=directory)
    figures = measure(
        domain, model, metric, data, noise=(stored.noise, stored.labels), seeds=seeds, progress=progress
    )
    return card(domain, figures, metadata, (directory / domain.checkpoint_file).stat().st_size)
