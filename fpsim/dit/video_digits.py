"""The training data of the video workload: scikit-learn's digits in straight motion over a small canvas.

A video has a digit, a motion (one of eight directions, one of two speeds) and a start. Motion and start give
the trajectory, so how far a generated digit strays from what its condition asked for can be measured.
All choices here are ours.
"""

from __future__ import annotations

import math

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
OFF_CENTRE = 2.0  # pixels per axis by which the middle of a path may be off the middle of the canvas
SEED = 0

# (row, column) steps of the eight directions, clockwise from "right".
DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
SPEEDS = (1, 2)  # pixels per frame, along each axis that moves
MOTIONS = len(DIRECTIONS) * len(SPEEDS)


def velocity(motion: int) -> tuple[int, int]:
    """Rows and columns per frame of a motion, 0 to 15: directions 0 to 7 at speed 1, then at speed 2.

    Raises:
        ValueError: an unknown motion.
    """
    if not 0 <= motion < MOTIONS:
        raise ValueError(f"motion={motion!r}: expected 0 to {MOTIONS - 1}")
    speed = SPEEDS[motion // len(DIRECTIONS)]
    row, column = DIRECTIONS[motion % len(DIRECTIONS)]
    return speed * row, speed * column


def starts(motion: int) -> NDArray[np.int64]:
    """Every start of a motion, int64 (N, 2): the path fits the canvas and its middle is near the centre."""
    room = CANVAS - DIGIT

    def along(step: int) -> list[int]:
        ends = ((start, start + (FRAMES - 1) * step) for start in range(room + 1))
        return [a for a, b in ends if 0 <= b <= room and abs((a + b) / 2 - room / 2) <= OFF_CENTRE]

    rows, columns = (along(step) for step in velocity(motion))
    return np.array([(row, column) for row in rows for column in columns], dtype=np.int64)


def trajectory(motion: int, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row and column of the digit's upper left corner in every frame, int64 (4, 2)."""
    return start + np.arange(FRAMES)[:, None] * np.array(velocity(motion), dtype=np.int64)


def render(digit: NDArray[np.float32], path: NDArray[np.int64]) -> NDArray[np.float32]:
    """A digit (8, 8) along a path (F, 2) on white paper (-1): float32 (F, 16, 16)."""
    video = np.full((len(path), CANVAS, CANVAS), -1, dtype=np.float32)
    for frame, (row, column) in zip(video, path, strict=True):
        frame[row : row + DIGIT, column : column + DIGIT] = digit
    return video


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
        Videos float32 (16 N, 4, 16, 16), conditions int64 (16 N, 2), a digit and a motion each, and starts
        int64 (16 N, 2).
    """
    count = len(digits) * MOTIONS
    videos = np.empty((count, FRAMES, CANVAS, CANVAS), dtype=np.float32)
    conditions, begins = (np.empty((count, 2), dtype=np.int64) for _ in range(2))
    choices = [starts(motion) for motion in range(MOTIONS)]
    for i in range(count):
        which = i % len(digits)
        motion = (which + i // len(digits)) % MOTIONS
        begins[i] = rng.choice(choices[motion])
        conditions[i] = labels[which], motion
        videos[i] = render(digits[which], trajectory(motion, begins[i]))
    return videos, conditions, begins


def load_moving_digits() -> DataSet:
    """Render the data set: 22,992 training and 5,760 test videos, split by digit image as in `load_digits`.

    Returns:
        Images float32 (N, 4, 16, 16), the frames where an image has its channels; labels int64 (N, 2), digit
        0 to 9 and motion 0 to 15.

    Raises:
        ModuleNotFoundError: if scikit-learn is not installed, with the way to get it.
    """
    digits, rng = load_digits(), np.random.default_rng(SEED)
    train_videos, train_conditions, _ = move(digits.train_images[:, 0], digits.train_labels, rng)
    test_videos, test_conditions, _ = move(digits.test_images[:, 0], digits.test_labels, rng)
    return DataSet(train_videos, train_conditions, test_videos, test_conditions)


def conditions_in_turn(count: int) -> Tensor:
    """Digits and motions in turn, int64 (count, 2); every 160, from the first on, are all pairs."""
    i = torch.arange(count)
    return torch.stack([i % CLASSES, (i + i // math.lcm(CLASSES, MOTIONS)) % MOTIONS], dim=1)
