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
    starts,
    trajectory,
    velocity,
)


def test_motions_are_eight_directions_at_two_speeds() -> None:
    velocities = [velocity(motion) for motion in range(MOTIONS)]
    steps = [step for step in itertools.product((-1, 0, 1), repeat=2) if step != (0, 0)]
    assert sorted(velocities[:8]) == sorted(steps)
    assert velocities[8:] == [(2 * row, 2 * column) for row, column in velocities[:8]]
    for bad in (-1, 16):
        with pytest.raises(ValueError, match=f"motion={bad}: expected 0 to 15"):
            velocity(bad)


@pytest.mark.parametrize("motion", range(MOTIONS))
def test_starts_are_all_those_whose_path_fits(motion: int) -> None:
    found = {tuple(start) for start in starts(motion).tolist()}
    for start in itertools.product(range(-2, 11), repeat=2):
        path = trajectory(motion, np.array(start))
        inside = path.min() >= 0 and path.max() <= 8  # of the corner of an 8x8 digit on a 16x16 canvas
        near = np.abs(path[[0, -1]].mean(axis=0) - 4).max() <= 2
        assert (start in found) == (inside and near), start


def test_a_digit_keeps_its_pixels_and_the_rest_is_paper() -> None:
    digit = np.linspace(-0.9, 1, 64, dtype=np.float32).reshape(8, 8)
    path = trajectory(9, np.array([1, 2]))  # down and right, two pixels a frame
    assert path.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    video = render(digit, path)
    assert video.dtype == np.float32
    for frame, (row, column) in zip(video, path, strict=True):
        np.testing.assert_array_equal(frame[row : row + 8, column : column + 8], digit)
        assert (frame == -1).sum() == 16 * 16 - 64


def test_every_digit_takes_every_motion_once() -> None:
    count = 5
    digits = np.arange(count * 64, dtype=np.float32).reshape(count, 8, 8) / 320
    videos, conditions, begins = move(digits, np.arange(count), np.random.default_rng(3))
    assert {tuple(c) for c in conditions.tolist()} == set(itertools.product(range(count), range(MOTIONS)))
    assert len(conditions) == count * MOTIONS
    for video, (which, motion), start in zip(videos, conditions, begins, strict=True):
        np.testing.assert_array_equal(video, render(digits[which], trajectory(motion, start)))
        assert start.tolist() in starts(motion).tolist()
    assert all(len(set(conditions[i : i + count, 1])) == count for i in range(0, len(conditions), count))


def test_the_data_set_is_split_by_digit_and_has_every_pair() -> None:
    data, digits = load_moving_digits(), load_digits()
    assert data.train_images.shape == (1437 * 16, 4, 16, 16)
    assert data.test_images.shape == (360 * 16, 4, 16, 16)
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
    pairs: Tensor = conditions_in_turn(480)
    assert pairs.dtype == torch.int64
    every = set(itertools.product(range(10), range(MOTIONS)))
    for start in (0, 160, 320):
        assert {tuple(pair) for pair in pairs[start : start + 160].tolist()} == every
    assert pairs[:20, 0].tolist() == list(range(10)) * 2
    assert conditions_in_turn(7).tolist() == pairs[:7].tolist()
