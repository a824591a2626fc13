"""The training data of the video workload: scikit-learn's digits in straight motion over a small canvas.

The canvas is a torus: what leaves on one side enters on the other. A digit stands on a grid of four pixels,
the patches of the model, and moves by one patch a frame in one of eight directions, or rests. The condition
gives the trajectory up to its start, so how far a generated digit strays from it can be measured. All choices
here are ours.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.dataset import DataSet
from fpsim.dit.digits import load_digits

CLASSES = 10
FRAMES = 4
CANVAS = 16  # side of a frame in pixels
DIGIT = 8  # side of a digit in pixels
STEP = 4  # pixels per frame along each axis that moves, and the grid of the starts
SEED = 0

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


def trajectory(motion: int, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row and column, 0 to 15, of the digit's upper left corner in every frame, int64 (4, 2)."""
    steps = np.arange(FRAMES)[:, None] * np.array(velocity(motion), dtype=np.int64)
    return (start + steps) % CANVAS


def render(digit: NDArray[np.float32], path: NDArray[np.int64]) -> NDArray[np.float32]:
    """A digit (8, 8) along a path (F, 2) over white paper (-1), around the edges: float32 (F, 16, 16)."""
    sheet = np.full((CANVAS, CANVAS), -1, dtype=np.float32)
    sheet[:DIGIT, :DIGIT] = digit
    return np.stack([np.roll(sheet, (row, column), axis=(0, 1)) for row, column in path])


def move(
    digits: NDArray[np.float32], labels: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Every digit in every motion, each from a random start.

    The digits come in order, once around before each takes its next motion; neighbours differ in motion.

    Args:
        digits: (N, 8, 8) in [-1, 1].
        labels: int64 (N,), 0 to 9.
        rng: draws the starts.

    Returns:
        Videos float32 (9 N, 4, 16, 16), conditions int64 (9 N, 2), a digit and a motion each, and starts
        int64 (9 N, 2).
    """
    count = len(digits) * MOTIONS
    videos = np.empty((count, FRAMES, CANVAS, CANVAS), dtype=np.float32)
    conditions = np.empty((count, 2), dtype=np.int64)
    starts = STEP * rng.integers(CANVAS // STEP, size=(count, 2))
    for i in range(count):
        which = i % len(digits)
        motion = (which + i // len(digits)) % MOTIONS
        conditions[i] = labels[which], motion
        videos[i] = render(digits[which], trajectory(motion, starts[i]))
    return videos, conditions, starts


def load_moving_digits() -> DataSet:
    """Render the data set: 12,933 training and 3,240 test videos, split by digit image as in `load_digits`.

    Returns:
        Images float32 (N, 4, 16, 16), the frames where an image has its channels; labels int64 (N, 2), digit
        0 to 9 and motion 0 to 8.

    Raises:
        ModuleNotFoundError: if scikit-learn is not installed, with the way to get it.
    """
    digits, rng = load_digits(), np.random.default_rng(SEED)
    train_videos, train_conditions, _ = move(digits.train_images[:, 0], digits.train_labels, rng)
    test_videos, test_conditions, _ = move(digits.test_images[:, 0], digits.test_labels, rng)
    return DataSet(train_videos, train_conditions, test_videos, test_conditions)


def conditions_in_turn(count: int) -> Tensor:
    """Digits and motions in turn, int64 (count, 2); their numbers are coprime, so every 90 are all pairs."""
    i = torch.arange(count)
    return torch.stack([i % CLASSES, i % MOTIONS], dim=1)
