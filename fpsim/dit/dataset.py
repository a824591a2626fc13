"""The shape in which every domain hands over its training data, whatever it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class DataSet:
    """Samples and their conditions, split once and for all.

    Attributes:
        train_images: float32 (N, C, S, S) in [-1, 1].
        train_labels: int64 (N,), or (N, c) where a condition has several parts.
        test_images: float32 (M, C, S, S), none of them among the training images.
        test_labels: int64 (M,) or (M, c).
    """

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]

    @property
    def train(self) -> tuple[Tensor, Tensor]:
        """Training images and labels as tensors on the same memory."""
        return torch.from_numpy(self.train_images), torch.from_numpy(self.train_labels)

    @property
    def test(self) -> tuple[Tensor, Tensor]:
        """Test images and labels as tensors on the same memory."""
        return torch.from_numpy(self.test_images), torch.from_numpy(self.test_labels)
