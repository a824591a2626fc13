"""The small classifier whose features stand in for Inception's in the Frechet distance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEATURES = 32
CLASSES = 10


class MetricNet(nn.Module):
    """Three 3x3 convolutions, a linear to 32 features and a linear to 10 classes; 64,298 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.embed = nn.Linear(64 * 2 * 2, FEATURES)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(FEATURES, CLASSES)

    def features(self, images: Tensor) -> Tensor:
        """Images float32 (B, 1, 8, 8) in [-1, 1] to features float32 (B, 32)."""
        relu = torch.relu
        y = nn.functional.max_pool2d(relu(self.conv2(relu(self.conv1(images)))), 2)
        y = nn.functional.max_pool2d(relu(self.conv3(y)), 2)
        embedded: Tensor = self.embed(self.drop(y.flatten(1)))
        return embedded

    def forward(self, images: Tensor) -> Tensor:
        """Images float32 (B, 1, 8, 8) to class logits float32 (B, 10)."""
        logits: Tensor = self.head(torch.relu(self.features(images)))
        return logits
