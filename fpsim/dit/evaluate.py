"""Measure the committed digits workload and write its model card: `python -m fpsim.dit.evaluate --help`.

Every figure of the card is measured here or read from the checkpoint's metadata; the text is the template
`digits_card.md.j2` beside this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import jinja2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import Progress, TimeElapsedColumn
from torch import Tensor

from fpsim.dit.checkpoint import CHECKPOINT_FILE, load_digits_dit, load_noise
from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.digits import Digits, load_digits
from fpsim.dit.files import DATA_DIR, write_whole
from fpsim.dit.metrics import SPACES, DigitsMetric, load_metric
from fpsim.dit.model import DiT

CARD_FILE = "digits_card.md"
TEMPLATE = Path(__file__).parent / "digits_card.md.j2"
COUNTS = (360, 500, 1000)  # sample counts of the noise-floor table; 360 is the size of the test set
NEAR = 1.0  # Euclidean distance in the 64 pixels of [-1, 1] below which an image counts as a near copy

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
    """Euclidean distance of every image (N, 1, 8, 8) to the nearest of train (M, 1, 8, 8), float64 (N,)."""
    distances: Tensor = torch.cdist(images.flatten(1).double(), train.flatten(1).double())
    return distances.min(dim=1).values.numpy()


def image_figures(metric: DigitsMetric, images: Tensor, labels: Tensor) -> Figures:
    """Frechet distances to the training set, in both spaces, and the classifier's accuracy."""
    figures = {f"fd_{space}": metric.fd_to_train(images, space) for space in SPACES}
    return figures | {"accuracy": metric.accuracy(images, labels)}


def _seed_noise(seed: int, count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(10_000 + seed)
    return torch.randn((count, 1, 8, 8), generator=generator), torch.arange(count) % 10


def _floor(metric: DigitsMetric, runs: list[Tensor], labels: Tensor) -> dict[int, dict[str, Spread]]:
    """Per sample count, mean and sd over the runs; `fd_seeds` is between one run and the next."""
    table: dict[int, dict[str, Spread]] = {}
    for n in COUNTS:
        figures = [image_figures(metric, run[:n], labels[:n]) for run in runs]
        row = {key: spread([f[key] for f in figures]) for key in figures[0]}
        pairs = zip(runs, [*runs[1:], runs[0]], strict=True)
        row["fd_seeds"] = spread([metric.fd_between(a[:n], b[:n]) for a, b in pairs])
        table[n] = row
    return table


def _memory(images: Tensor, digits: Digits) -> dict[str, Figures]:
    """Nearest-neighbour distances to the training set of generated and of real test images."""
    train = torch.from_numpy(digits.train_images)
    sets = {"generated": images, "test": torch.from_numpy(digits.test_images)}
    nearest = {name: nearest_distances(x, train) for name, x in sets.items()}
    return {
        name: {"median": float(np.median(d)), "minimum": float(d.min()), "near": float((d < NEAR).mean())}
        for name, d in nearest.items()
    }


def measure(
    model: DiT, metric: DigitsMetric, digits: Digits, *, seeds: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """All figures of the card that are measured.

    Args:
        model: the FP32 baseline.
        metric: the committed metric.
        digits: training and test images.
        seeds: noise seeds of the floor, at least 2.
        progress: called with the name of each stage as it begins.

    Returns:
        Figures by name, as the template uses them.
    """
    stored = load_noise()
    test = torch.from_numpy(digits.test_images), torch.from_numpy(digits.test_labels)
    progress("stored noise")
    start = time.process_time()
    images = ddim_sample(model, stored.noise, stored.labels)
    seconds = time.process_time() - start
    runs = []
    for seed in range(seeds):
        progress(f"noise seed {seed}")
        runs.append(ddim_sample(model, *_seed_noise(seed, max(COUNTS))))
    progress("50 steps")
    fine = ddim_sample(model, stored.noise, stored.labels, steps=50)
    progress("guidance 1.5")
    guided = ddim_sample(model, stored.noise, stored.labels, cfg_scale=1.5)
    return {
        "seeds": seeds,
        "sample_seconds": seconds,
        "stored": image_figures(metric, images, stored.labels),
        "fine": image_figures(metric, fine, stored.labels),
        "guided": image_figures(metric, guided, stored.labels),
        "real": image_figures(metric, *test),
        "floor": _floor(metric, runs, stored.labels),
        "memory": _memory(images, digits),
        "near_distance": NEAR,
    }


def card(figures: dict[str, Any], metadata: dict[str, str], size: int) -> str:
    """The model card as Markdown.

    Args:
        figures: from `measure`.
        metadata: of the checkpoint.
        size: bytes of the checkpoint.
    """
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(TEMPLATE.read_text()).render(**figures, trained=metadata, size=size)


def main(
    data: Annotated[Path, typer.Option(help="Folder of the data files; the card goes there.")] = DATA_DIR,
    seeds: Annotated[int, typer.Option(min=2, help="Noise seeds of the floor.")] = 8,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
) -> None:
    """Measure the digits workload and write its card (about 3 minutes on one core).

    Example: python -m fpsim.dit.evaluate --seeds 8
    """
    torch.set_num_threads(threads)
    model, metadata = load_digits_dit(data)
    metric, digits = load_metric(data), load_digits()
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn()) as bar:
        task = bar.add_task("evaluate", total=seeds + 3)

        def stage(name: str) -> None:
            bar.update(task, description=name, advance=1)

        figures = measure(model, metric, digits, seeds=seeds, progress=stage)
    text = card(figures, metadata, (data / CHECKPOINT_FILE).stat().st_size)
    write_whole(data / CARD_FILE, text.encode())
    typer.echo(text)


if __name__ == "__main__":
    typer.run(main)
