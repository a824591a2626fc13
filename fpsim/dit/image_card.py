"""The model card of an image domain: measure its checkpoint and render the domain's template.

The template `<domain>_card.md.j2` beside this file extends `image_card.md.j2`, which holds what the cards of
all image domains say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.checkpoint import load_image_dit, load_noise
from fpsim.dit.dataset import DataSet
from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.domains import Domain
from fpsim.dit.metrics import SPACES, ImageMetric, load_metric
from fpsim.dit.model import DiT

COUNTS = (500, 1000)  # sample counts of the noise-floor table, besides the size of the test set
NEAR_RMS = 1 / 8  # difference per pixel, of pixels in [-1, 1], below which an image counts as a near copy

Figures = dict[str, float]


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation of a figure over seeds."""

    mean: float
    sd: float


def spread(values: list[float]) -> Spread:
    """Mean and standard deviation (n - 1) of at least two values."""
    if len(values) < 2:
        raise ValueError(f"values: {len(values)}, expected at least 2")
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)))


def nearest_distances(images: Tensor, train: Tensor) -> NDArray[np.float64]:
    """Euclidean distance of every image (N, 1, S, S) to the nearest of train (M, 1, S, S), float64 (N,)."""
    distances: Tensor = torch.cdist(images.flatten(1).double(), train.flatten(1).double())
    return distances.min(dim=1).values.numpy()


def image_figures(metric: ImageMetric, images: Tensor, labels: Tensor) -> Figures:
    """Frechet distances to the training set, in both spaces, and the classifier's accuracy."""
    figures = {f"fd_{space}": metric.fd_to_train(images, space) for space in SPACES}
    return figures | {"accuracy": metric.accuracy(images, labels)}


def _seed_noise(domain: Domain, seed: int, count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(10_000 + seed)
    return torch.randn((count, *domain.shape), generator=generator), domain.conditions(count)


def _floor(
    metric: ImageMetric, runs: list[Tensor], labels: Tensor, counts: list[int]
) -> dict[int, dict[str, Spread]]:
    """Per sample count, mean and sd over the runs; `fd_seeds` is between one run and the next."""
    table: dict[int, dict[str, Spread]] = {}
    for n in counts:
        figures = [image_figures(metric, run[:n], labels[:n]) for run in runs]
        row = {key: spread([f[key] for f in figures]) for key in figures[0]}
        pairs = zip(runs, [*runs[1:], runs[0]], strict=True)
        row["fd_seeds"] = spread([metric.fd_between(a[:n], b[:n]) for a, b in pairs])
        table[n] = row
    return table


def _memory(images: Tensor, data: DataSet, near: float) -> dict[str, Figures]:
    """Nearest-neighbour distances to the training set of generated and of real test images."""
    sets = {"generated": images, "test": data.test[0]}
    nearest = {name: nearest_distances(x, data.train[0]) for name, x in sets.items()}
    return {
        name: {"median": float(np.median(d)), "minimum": float(d.min()), "near": float((d < near).mean())}
        for name, d in nearest.items()
    }


def measure(
    domain: Domain,
    model: DiT,
    metric: ImageMetric,
    data: DataSet,
    *,
    seeds: int,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """All figures of the card that are measured.

    Args:
        domain: what is measured, an image domain.
        model: its FP32 baseline.
        metric: its metric.
        data: training and test images.
        seeds: noise seeds of the floor, at least 2.
        progress: called with the name of each stage as it begins.

    Returns:
        Figures by name, as the template uses them.
    """
    stored = load_noise(domain=domain.name)
    counts = sorted({*COUNTS, len(data.test_images)})
    near = NEAR_RMS * data.test_images[0].size ** 0.5
    progress("stored noise")
    start = time.process_time()
    images = ddim_sample(model, stored.noise, stored.labels)
    seconds = time.process_time() - start
    runs = []
    for seed in range(seeds):
        progress(f"noise seed {seed}")
        runs.append(ddim_sample(model, *_seed_noise(domain, seed, max(counts))))
    progress("50 steps")
    fine = ddim_sample(model, stored.noise, stored.labels, steps=50)
    progress("guidance 1.5")
    guided = ddim_sample(model, stored.noise, stored.labels, cfg_scale=1.5, null_label=domain.null)
    return {
        "seeds": seeds,
        "sample_seconds": seconds,
        "stored": image_figures(metric, images, stored.labels),
        "fine": image_figures(metric, fine, stored.labels),
        "guided": image_figures(metric, guided, stored.labels),
        "real": image_figures(metric, *data.test),
        "floor": _floor(metric, runs, domain.conditions(max(counts)), counts),
        "memory": _memory(images, data, near),
        "near_distance": near,
        "train_count": len(data.train_images),
        "test_count": len(data.test_images),
    }


def card(domain: Domain, figures: dict[str, Any], metadata: dict[str, str], size: int) -> str:
    """The model card as Markdown.

    Args:
        domain: what is described.
        figures: from `measure`.
        metadata: of the checkpoint.
        size: bytes of the checkpoint.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template(f"{domain.card_file}.j2")
    return template.render(**figures, domain=domain, model=domain.config, trained=metadata, size=size)


def image_card(domain: Domain, directory: Path, seeds: int, progress: Callable[[str], None]) -> str:
    """Measure the workload in a folder and return its card.

    Args:
        domain: an image domain.
        directory: folder with its data files.
        seeds: noise seeds of the floor, at least 2.
        progress: called with the name of each stage as it begins.
    """
    model, metadata = load_image_dit(domain.name, directory)
    metric, data = load_metric(domain.name, directory), domain.load()
    figures = measure(domain, model, metric, data, seeds=seeds, progress=progress)
    return card(domain, figures, metadata, (directory / domain.checkpoint_file).stat().st_size)
