"""One line of the table: a recipe on a model, sampled bit by bit and in float imitation."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from fpsim.array.config import ArrayConfig
from fpsim.dit.diffusion import TRAIN_STEPS, EpsModel, Images, ddim_sample, ddim_timesteps
from fpsim.dit.hooks import BlockModel, block_linears, observe
from fpsim.dit.metrics import load_metric, paired_mse
from fpsim.dit.workload import domain_of, load_model, sample_noise
from fpsim.methods.work import schedule_of
from fpsim.quant.execute import in_float, on_machine
from fpsim.quant.recipes import calibrate, get_recipe
from fpsim.quant.sqnr import epsilon_sqnr
from fpsim.report.methods import MethodRow, SeedQuality

FP32 = "fp32"
SQNR_IMAGES = 20


@dataclass(frozen=True)
class Sampling:
    """How every recipe is sampled: images from each seed's noise, DDIM steps; no guidance."""

    images: int = 500
    steps: int = 20
    seeds: int = 3

    def __post_init__(self) -> None:
        for name, low, high in (("images", 2, 100_000), ("steps", 2, TRAIN_STEPS), ("seeds", 1, 1000)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ValueError(f"{name}={value!r}: expected {low} to {high}")


def sample_fp32(model: str, seed: int, sampling: Sampling) -> Images:
    """The samples that everything of that model and seed is compared with."""
    return _sample(load_model(model), model, seed, sampling)


def measure_fp32(model: str, reference: list[Images], sampling: Sampling) -> MethodRow:
    """The line of the floating-point model itself; its distances to FP32 are 0."""
    metric = load_metric(domain_of(model))
    seeds = []
    for seed, images in enumerate(reference):
        labels = sample_noise(domain_of(model), sampling.images, seed).labels
        accuracy = metric.accuracy(images, labels)
        seeds.append(
            SeedQuality(seed, 0.0, metric.fd_to_train(images), accuracy, 0.0, 0.0, accuracy, 0.0, 0.0)
        )
    return MethodRow(model, FP32, "FP32 on the host", seeds, {}, None, None, 0.0)


def floor_of(model: str, reference: list[Images]) -> list[float]:
    """Distances between the FP32 samples of every two seeds: what sampling noise alone makes."""
    metric = load_metric(domain_of(model))
    pairs = [(a, b) for i, a in enumerate(reference) for b in reference[:i]]
    return [metric.fd_between(a, b) for a, b in pairs]


def measure(model_name: str, recipe_name: str, reference: list[Images], sampling: Sampling) -> MethodRow:
    """A recipe on a model, without a price.

    Args:
        model_name, recipe_name: their names.
        reference: FP32 samples of seed 0, 1, ...
        sampling: how to sample; as many seeds as there are references.
    """
    config = ArrayConfig()
    recipe, model, domain = get_recipe(recipe_name), load_model(model_name), domain_of(model_name)
    calibration = calibrate(model, domain)
    begin = time.perf_counter()
    quantized = recipe.quantize(model, calibration, config)
    quantize_seconds = time.perf_counter() - begin
    metric = load_metric(domain)
    executed, imitated = on_machine(quantized, config), in_float(quantized, config)
    seeds = []
    for seed, expected in enumerate(reference):
        labels = sample_noise(domain, sampling.images, seed).labels
        begin = time.perf_counter()
        images = _sample(executed, model_name, seed, sampling)
        seconds = time.perf_counter() - begin
        fake = _sample(imitated, model_name, seed, sampling)
        seeds.append(
            SeedQuality(
                seed=seed,
                fd_fp32=metric.fd_between(images, expected),
                fd_train=metric.fd_to_train(images),
                accuracy=metric.accuracy(images, labels),
                paired_mse=paired_mse(expected, images),
                fake_fd_fp32=metric.fd_between(fake, expected),
                fake_accuracy=metric.accuracy(fake, labels),
                fake_paired_mse=paired_mse(expected, fake),
                seconds=seconds,
            )
        )
    few = sample_noise(domain, SQNR_IMAGES, 0)
    shapes = {
        name: (linear.out_features, linear.in_features) for name, linear in block_linears(model).items()
    }
    schedule = schedule_of(quantized, rows_per_image(model, domain), shapes, ddim_timesteps(sampling.steps))
    return MethodRow(
        model=model_name,
        recipe=recipe_name,
        title=recipe.title,
        seeds=seeds,
        epsilon_sqnr_db=epsilon_sqnr(model, quantized, config, few.noise, few.labels, steps=sampling.steps),
        schedule=schedule,
        price=None,
        quantize_seconds=quantize_seconds,
    )


def rows_per_image(model: BlockModel, domain: str) -> dict[str, int]:
    """Rows M that the forward pass of one image, or one video, feeds to every block linear."""
    one = sample_noise(domain, 1, 0)
    rows: dict[str, int] = {}

    def see(name: str, x: Images) -> None:
        rows[name] = int(np.prod(x.shape[:-1]))

    with observe(model, see):
        ddim_sample(model, one.noise, one.labels, steps=2)
    return rows


def _sample(model: EpsModel, name: str, seed: int, sampling: Sampling) -> Images:
    start = sample_noise(domain_of(name), sampling.images, seed)
    return ddim_sample(model, start.noise, start.labels, steps=sampling.steps)
