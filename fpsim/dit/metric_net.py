"""The small classifier whose features stand in for Inception's in the Frechet distance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

FEATURES = 32
_HALVINGS = {8: 2, 12: 2, 16: 3}  # of the maps, by image side, so that 2x2 or 3x3 reach the linear layers


@dataclass(frozen=True)
class MetricNetConfig:
    """What a classifier sees and tells apart.

    Attributes:
        image: side of the square grey image in pixels, 8, 12 or 16.
        classes: number of classes.
    """

    image: int = 8
    classes: int = 10

    def __post_init__(self) -> None:
        if self.image not in _HALVINGS:
            raise ValueError(f"image={self.image!r}: expected 8, 12 or 16")
        if self.classes < 2:
            raise ValueError(f"classes={self.classes!r}: expected at least 2")

    @property
    def halvings(self) -> int:
        """How often the maps are halved, 2 or 3."""
        return _HALVINGS[self.image]

    @property
    def side(self) -> int:
        """Side of the maps that reach the linear layers, 2 or 3."""
        return self.image >> self.halvings


class MetricNet(nn.Module):
    """Three 3x3 convolutions, a linear to 32 features and a linear to the classes.

    Maps are halved after the last two convolutions, and after the first too where the image has 16 pixels
    a side, so that 2x2 remain, or 3x3 of 12 pixels. 64,298 parameters for the digits' ten classes, 33 more
    for each further one, 10,240 more for images of 12 pixels a side.
    """

    def __init__(self, config: MetricNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MetricNetConfig()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.embed = nn.Linear(64 * config.side**2, FEATURES)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(FEATURES, config.classes)

    def features(self, images: Tensor) -> Tensor:
        """Images float32 (B, 1, S, S) in [-1, 1] to features float32 (B, 32)."""
        relu, halve = torch.relu, nn.functional.max_pool2d
        y = relu(self.conv1(images))
        if self.config.halvings == 3:
            y = halve(y, 2)
        y = halve(relu(self.conv2(y)), 2)
        y = halve(relu(self.conv3(y)), 2)
        embedded: Tensor = self.embed(self.drop(y.flatten(1)))
        return embedded

    def forward(self, images: Tensor) -> Tensor:
        """Images float32 (B, 1, S, S) to class logits float32 (B, classes)."""
        logits: Tensor = self.head(torch.relu(self.features(images)))
        return logits
