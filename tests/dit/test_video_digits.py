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
    assert sorted(velocities) == sorted(itertools.product((-2, 0, 2), repeat=2))
    assert velocities[8] == (0, 0)
    for bad in (-1, 9):
        with pytest.raises(ValueError, match=f"motion={bad}: expected 0 to 8"):
            velocity(bad)


def test_paths_cross_the_middle_in_the_middle_frame_and_stay_on_the_canvas() -> None:
    assert trajectory(1).tolist() == [[0, 0], [2, 2], [4, 4]]
    assert trajectory(4).tolist() == [[2, 4], [2, 2], [2, 0]]
    assert trajectory(8).tolist() == [[2, 2]] * 3
    paths = {tuple(map(tuple, trajectory(motion).tolist())) for motion in range(MOTIONS)}
    assert len(paths) == MOTIONS
    assert {path[1] for path in paths} == {(2, 2)}
    assert {at for path in paths for place in path for at in place} == {0, 2, 4}


def test_a_digit_keeps_its_pixels_and_the_rest_is_paper() -> None:
    digit = np.linspace(-0.9, 1, 64, dtype=np.float32).reshape(8, 8)
    path = trajectory(1)
    video = render(digit, path)
    assert video.shape == (3, 12, 12)
    assert video.dtype == np.float32
    for frame, (row, column) in zip(video, path, strict=True):
        for r, c in itertools.product(range(8), repeat=2):
            assert frame[row + r, column + c] == digit[r, c]
        assert (frame == -1).sum() == 12 * 12 - 64


def test_every_digit_takes_every_motion_once() -> None:
    count = 5
    digits = np.arange(count * 64, dtype=np.float32).reshape(count, 8, 8) / 320
    videos, conditions = move(digits, np.arange(count))
    assert {tuple(c) for c in conditions.tolist()} == set(itertools.product(range(count), range(MOTIONS)))
    assert len(conditions) == count * MOTIONS
    for video, (which, motion) in zip(videos, conditions, strict=True):
        np.testing.assert_array_equal(video, render(digits[which], trajectory(motion)))
    assert all(len(set(conditions[i : i + count, 1])) == count for i in range(0, len(conditions), count))


def test_the_data_set_is_split_by_digit_and_has_every_pair() -> None:
    data, digits = load_moving_digits(), load_digits()
    assert data.train_images.shape == (1437 * 9, 3, 12, 12)
    assert data.test_images.shape == (360 * 9, 3, 12, 12)
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
        np.testing.assert_allclose(found, np.tile(ink, MOTIONS)[:, None].repeat(3, axis=1))


def test_conditions_in_turn_go_through_every_pair() -> None:
    pairs: Tensor = conditions_in_turn(270)
    assert pairs.dtype == torch.int64
    every = set(itertools.product(range(10), range(MOTIONS)))
    for start in (0, 90, 180):
        assert {tuple(pair) for pair in pairs[start : start + 90].tolist()} == every
    assert pairs[:20, 0].tolist() == list(range(10)) * 2
    assert conditions_in_turn(7).tolist() == pairs[:7].tolist()
