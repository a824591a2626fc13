"""Moving digits against their own definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from fpsim.dit.digits import load_digits
from fpsim.dit.video_digits import (
    MOTIONS,
    conditions_in_turn,
    load_moving_digits,
    move,
    render,
    trajectory,
    velocity,
)


def test_motions_are_eight_directions_and_rest() -> None:
    velocities = [velocity(motion) for motion in range(MOTIONS)]
    assert sorted(velocities) == sorted(itertools.product((-4, 0, 4), repeat=2))
    assert velocities[8] == (0, 0)
    for bad in (-1, 9):
        with pytest.raises(ValueError, match=f"motion={bad}: expected 0 to 8"):
            velocity(bad)


def test_paths_go_on_around_the_edges() -> None:
    assert trajectory(1, np.array([4, 8])).tolist() == [[4, 8], [8, 12], [12, 0], [0, 4]]
    assert trajectory(4, np.array([0, 4])).tolist() == [[0, 4], [0, 0], [0, 12], [0, 8]]
    assert trajectory(8, np.array([12, 0])).tolist() == [[12, 0]] * 4


def test_a_digit_keeps_its_pixels_and_the_rest_is_paper() -> None:
    digit = np.linspace(-0.9, 1, 64, dtype=np.float32).reshape(8, 8)
    path = trajectory(1, np.array([4, 8]))
    video = render(digit, path)
    assert video.dtype == np.float32
    for frame, (row, column) in zip(video, path, strict=True):
        for r, c in itertools.product(range(8), repeat=2):
            assert frame[(row + r) % 16, (column + c) % 16] == digit[r, c]
        assert (frame == -1).sum() == 16 * 16 - 64


def test_every_digit_takes_every_motion_once() -> None:
    count = 5
    digits = np.arange(count * 64, dtype=np.float32).reshape(count, 8, 8) / 320
    videos, conditions, begins = move(digits, np.arange(count), np.random.default_rng(3))
    assert {tuple(c) for c in conditions.tolist()} == set(itertools.product(range(count), range(MOTIONS)))
    assert len(conditions) == count * MOTIONS
    for video, (which, motion), start in zip(videos, conditions, begins, strict=True):
        np.testing.assert_array_equal(video, render(digits[which], trajectory(motion, start)))
        assert set(start.tolist()) <= {0, 4, 8, 12}
    assert all(len(set(conditions[i : i + count, 1])) == count for i in range(0, len(conditions), count))


def test_the_data_set_is_split_by_digit_and_has_every_pair() -> None:
    data, digits = load_moving_digits(), load_digits()
    assert data.train_images.shape == (1437 * 9, 4, 16, 16)
    assert data.test_images.shape == (360 * 9, 4, 16, 16)
    assert data.train_labels.dtype == np.int64
    for videos, labels, images, classes in (
        (data.train_images, data.train_labels, digits.train_images, digits.train_labels),
        (data.test_images, data.test_labels, digits.test_images, digits.test_labels),
    ):
        np.testing.assert_array_equal(labels[:, 0], np.tile(classes, MOTIONS))
        by_digit = labels[:, 1].reshape(MOTIONS, -1)
        assert (np.sort(by_digit, axis=0) == np.arange(MOTIONS)[:, None]).all()
        # Paper is -1, so the ink of a frame is that of its digit wherever it is.
        ink = (images + 1).sum(axis=(1, 2, 3), dtype=np.float64)
        found = (videos + 1).sum(axis=(2, 3), dtype=np.float64)
        np.testing.assert_allclose(found, np.tile(ink, MOTIONS)[:, None].repeat(4, axis=1))


def test_rendering_is_repeatable() -> None:
    digits = load_digits()
    images, labels = digits.test_images[:20, 0], digits.test_labels[:20]
    first, again, other = (move(images, labels, np.random.default_rng(seed)) for seed in (0, 0, 1))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[2] != other[2]).any()


def test_conditions_in_turn_go_through_every_pair() -> None:
    pairs: Tensor = conditions_in_turn(270)
    assert pairs.dtype == torch.int64
    every = set(itertools.product(range(10), range(MOTIONS)))
    for start in (0, 90, 180):
        assert {tuple(pair) for pair in pairs[start : start + 90].tolist()} == every
    assert pairs[:20, 0].tolist() == list(range(10)) * 2
    assert conditions_in_turn(7).tolist() == pairs[:7].tolist()
