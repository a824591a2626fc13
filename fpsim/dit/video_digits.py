"""The training data of the video workload: scikit-learn's digits in straight motion over a small canvas.

A digit moves by two pixels a frame in one of eight directions, or rests, and stands in the middle of the
canvas in the middle frame. So the condition gives the whole trajectory, and how far a generated digit strays
from it can be measured. All choices here are ours.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.dataset import DataSet
from fpsim.dit.digits import load_digits

CLASSES = 10
FRAMES = 3
CANVAS = 12  # side of a frame in pixels
DIGIT = 8  # side of a digit in pixels
STEP = 2  # pixels per frame along each axis that moves

# (row, column) of the eight directions, clockwise from "right", and of rest.
DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 0))
MOTIONS = len(DIRECTIONS)


def velocity(motion: int) -> tuple[int, int]:
    """Rows and columns per frame, in pixels, of a motion: 0 to 7 the directions, 8 rest.

    Raises:
        ValueError: an unknown motion.
    """
    if not 0 <= motion < MOTIONS:
        raise ValueError(f"motion={motion!r}: expected 0 to {MOTIONS - 1}")
    row, column = DIRECTIONS[motion]
    return STEP * row, STEP * column


def trajectory(motion: int) -> NDArray[np.int64]:
    """Row and column, 0 to 4, of the digit's upper left corner in every frame, int64 (3, 2)."""
    middle = (CANVAS - DIGIT) // 2
    return middle + (np.arange(FRAMES)[:, None] - FRAMES // 2) * np.array(velocity(motion), dtype=np.int64)


def render(digit: NDArray[np.float32], path: NDArray[np.int64]) -> NDArray[np.float32]:
    """A digit (8, 8) along a path (F, 2) over white paper (-1): float32 (F, 12, 12)."""
    video = np.full((len(path), CANVAS, CANVAS), -1, dtype=np.float32)
    for frame, (row, column) in zip(video, path, strict=True):
        frame[row : row + DIGIT, column : column + DIGIT] = digit
    return video


def move(
    digits: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Every digit in every motion.

    The digits come in order, once around before each takes its next motion; neighbours differ in motion.

    Args:
        digits: (N, 8, 8) in [-1, 1].
        labels: int64 (N,), 0 to 9.

    Returns:
        Videos float32 (9 N, 3, 12, 12) and conditions int64 (9 N, 2), a digit and a motion each.
    """
    count = len(digits) * MOTIONS
    videos = np.empty((count, FRAMES, CANVAS, CANVAS), dtype=np.float32)
    conditions = np.empty((count, 2), dtype=np.int64)
    for i in range(count):
        which = i % len(digits)
        motion = (which + i // len(digits)) % MOTIONS
        conditions[i] = labels[which], motion
        videos[i] = render(digits[which], trajectory(motion))
    return videos, conditions


def load_moving_digits() -> DataSet:
    """Render the data set: 12,933 training and 3,240 test videos, split by digit image as in `load_digits`.

    Returns:
        Images float32 (N, 3, 12, 12), the frames where an image has its channels; labels int64 (N, 2), digit
        0 to 9 and motion 0 to 8.

    Raises:
        ModuleNotFoundError: if scikit-learn is not installed, with the way to get it.
    """
    digits = load_digits()
    train = move(digits.train_images[:, 0], digits.train_labels)
    return DataSet(*train, *move(digits.test_images[:, 0], digits.test_labels))


def conditions_in_turn(count: int) -> Tensor:
    """Digits and motions in turn, int64 (count, 2); their numbers are coprime, so every 90 are all pairs."""
    i = torch.arange(count)
    return torch.stack([i % CLASSES, i % MOTIONS], dim=1)
