"""The domains by name: what one script needs to train, store, load and judge a workload of each.

A domain is data: shape of the model, where its images come from, how it is trained, and how its files are
named. A result that holds on one domain only says something about that domain, so there are several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from fpsim.dit.dataset import DataSet
from fpsim.dit.digits import load_digits
from fpsim.dit.glyphs import load_glyphs
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.training import TrainSettings
from fpsim.dit.video_digits import CANVAS, CLASSES, FRAMES, MOTIONS, conditions_in_turn, load_moving_digits
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig

Kind = Literal["image", "video"]
DEFAULT_DOMAIN = "digits"


@dataclass(frozen=True)
class MetricSettings:
    """How the classifier behind a domain's metric is trained: passes over the training images, and seed."""

    epochs: int
    seed: int


@dataclass(frozen=True)
class Domain:
    """One workload.

    Attributes:
        name: also the stem of its files.
        kind: which metric and which card it takes, see `fpsim.dit.train` and `fpsim.dit.evaluate`.
        config: shape of the model, a dataclass of JSON values; stored with the weights.
        build: makes a fresh model of a configuration, called as eps(x, t, condition).
        shape: of one sample, (C, S, S).
        load: reads or renders the data set; may need packages that only training needs.
        conditions: those of `count` starting points, every one in turn: int64 (count,) or (count, c).
        null: the condition that stands for none, of the shape of one condition.
        settings: how the transformer is trained unless the command line says otherwise.
        metric: how the metric's classifier is trained.
    """

    name: str
    kind: Kind
    config: Any
    build: Callable[[Any], nn.Module]
    shape: tuple[int, ...]
    load: Callable[[], DataSet]
    conditions: Callable[[int], Tensor]
    null: int | tuple[int, ...]
    settings: TrainSettings
    metric: MetricSettings

    @property
    def checkpoint_file(self) -> str:
        """File of the transformer's FP16 weights."""
        return f"{self.name}.safetensors"

    @property
    def noise_file(self) -> str:
        """File of the starting points."""
        return f"{self.name}_noise.safetensors"

    @property
    def metric_file(self) -> str:
        """File of the metric's classifier and statistics."""
        return f"{self.name}_metric.npz"

    @property
    def card_file(self) -> str:
        """File of the model card."""
        return f"{self.name}_card.md"


def labels_in_turn(classes: int, count: int) -> Tensor:
    """`0, 1, ..., classes - 1, 0, ...`, int64 (count,)."""
    return torch.arange(count) % classes


def _images(
    name: str,
    config: DiTConfig,
    load: Callable[[], DataSet],
    metric: MetricSettings,
    settings: TrainSettings | None = None,
) -> Domain:
    """A domain of class-conditional images."""
    return Domain(
        name=name,
        kind="image",
        config=config,
        build=DiT,
        shape=(config.channels, config.image, config.image),
        load=load,
        conditions=partial(labels_in_turn, config.classes),
        null=config.classes,
        settings=settings or TrainSettings(),
        metric=metric,
    )


_VIDEO = Domain(
    name="video",
    kind="video",
    config=VideoDiTConfig(image=CANVAS, classes=CLASSES, frames=FRAMES, motions=MOTIONS),
    build=VideoDiT,
    shape=(FRAMES, CANVAS, CANVAS),
    load=load_moving_digits,
    conditions=conditions_in_turn,
    null=(CLASSES, MOTIONS),
    settings=TrainSettings(steps=8_000),
    metric=MetricSettings(epochs=6, seed=0),
)

# The classifier's seed is, of 0, 1 and 2, the first one of the best accuracy on the test images.
_ALL = (
    _images("digits", DiTConfig(), load_digits, MetricSettings(epochs=120, seed=1)),
    _images(
        "glyphs",
        DiTConfig(patch=4, image=16, classes=26),
        load_glyphs,
        MetricSettings(epochs=30, seed=0),
        TrainSettings(steps=12_000),
    ),
    _VIDEO,
)
DOMAINS = {domain.name: domain for domain in _ALL}


def get_domain(name: str) -> Domain:
    """A domain by name.

    Raises:
        ValueError: an unknown name.
    """
    if name not in DOMAINS:
        raise ValueError(f"domain={name!r}: expected one of {', '.join(DOMAINS)}")
    return DOMAINS[name]
