"""Stages 1 to 3: sample a model in FP32 and on the machine under each recipe, and measure the difference."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from fpsim.array.config import ArrayConfig
from fpsim.dit.checkpoint import NOISE_IMAGES, load_noise
from fpsim.dit.diffusion import TRAIN_STEPS, EpsModel, Images, ddim_sample
from fpsim.dit.metrics import ImageMetric, load_metric, paired_mse
from fpsim.dit.workload import MODELS, domain_of, load_model
from fpsim.quant.execute import on_machine
from fpsim.quant.recipes import calibrate, get_recipe
from fpsim.quant.sqnr import epsilon_sqnr, layer_sqnr
from fpsim.report.data import Grid, ModelQuality, Quality

Progress = Callable[[str, int, int], None]
SHOWN_RECIPES = ("naive-w4a4", "rotated-w4a4")  # a baseline and what mends it; `fpsim methods` has all
SHOWN_IMAGES = 20
SQNR_IMAGES = 20


@dataclass(frozen=True)
class Sampling:
    """How a model is sampled: number of images (of the stored noise, in order) and DDIM steps; CFG is 1."""

    images: int = 500
    steps: int = 20

    def __post_init__(self) -> None:
        if not 2 <= self.images <= NOISE_IMAGES:
            raise ValueError(
                f"images={self.images}: expected 2 to {NOISE_IMAGES}, the stored starting points"
            )
        if not 2 <= self.steps <= TRAIN_STEPS:
            raise ValueError(f"steps={self.steps}: expected 2 to {TRAIN_STEPS}")


def measure_model(
    name: str, recipes: list[str], config: ArrayConfig, sampling: Sampling, progress: Progress
) -> ModelQuality:
    """Quality of a model in FP32 and under every recipe, all from the same stored noise.

    Args:
        name: of an image model (`fpsim.dit.workload.MODELS`).
        recipes: names of recipes.
        config: the machine that executes the quantized models.
        sampling: images and steps.
        progress: called with (what, done, total).
    """
    model = load_model(name)
    domain = domain_of(name)
    metric = load_metric(domain)
    start = load_noise(sampling.images, domain)
    steps = sampling.steps

    def sample(executed: EpsModel, what: str) -> tuple[Images, float]:
        begin = time.perf_counter()
        images = ddim_sample(
            executed,
            start.noise,
            start.labels,
            steps=steps,
            progress=lambda done, total: progress(f"{name}: {what}", done, total),
        )
        return images, time.perf_counter() - begin

    reference, seconds = sample(model, "fp32")
    rows = [_row("fp32", "FP32 on the host", metric, reference, reference, start.labels, seconds)]
    calibration = calibrate(model, domain)
    few, labels = start.noise[:SQNR_IMAGES], start.labels[:SQNR_IMAGES]
    for recipe_name in recipes:
        recipe = get_recipe(recipe_name)
        quantized = recipe.quantize(model, calibration, config)
        images, seconds = sample(on_machine(quantized, config), recipe_name)
        rows.append(
            _row(
                recipe_name,
                recipe.title,
                metric,
                reference,
                images,
                start.labels,
                seconds,
                epsilon_sqnr(model, quantized, config, few, labels, steps=steps),
                layer_sqnr(quantized, config, few, labels, steps=steps),
            )
        )
    return ModelQuality(name, MODELS[name], sampling.images, steps, rows)


def _row(
    name: str,
    title: str,
    metric: ImageMetric,
    reference: Images,
    images: Images,
    labels: Images,
    seconds: float,
    epsilon_sqnr_db: dict[int, float] | None = None,
    layer_sqnr_db: dict[str, float] | None = None,
) -> Quality:
    return Quality(
        name=name,
        title=title,
        fd_train=metric.fd_to_train(images),
        fd_train_pixels=metric.fd_to_train(images, "pixels"),
        fd_fp32=0.0 if images is reference else metric.fd_between(images, reference),
        accuracy=metric.accuracy(images, labels),
        paired_mse=paired_mse(reference, images),
        epsilon_sqnr_db=epsilon_sqnr_db or {},
        layer_sqnr_db=layer_sqnr_db or {},
        images=_grid(images[:SHOWN_IMAGES]),
        seconds=seconds,
    )


def _grid(images: Images) -> Grid:
    grid: Grid = images[:, 0].tolist()
    return grid
