"""HTG's shifts and scales against the equations, term by term."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.quant.shift import Ranges, channel_scale, group_shifts, moving_average

HIGH = np.array([[5, 1, 0], [7, 3, 0], [6, -1, 0]], np.float32)
LOW = np.array([[1, -1, 0], [5, -3, 0], [0, -3, 0]], np.float32)
RANGES = Ranges(HIGH, LOW)


def test_the_middle_and_its_mean_over_a_group() -> None:
    """Equations 2 and 4 by hand."""
    assert RANGES.middle.tolist() == [[3, 0, 0], [6, 0, 0], [3, -2, 0]]
    assert group_shifts(RANGES.middle, np.array([0, 0, 1])).tolist() == [[4.5, 0, 0], [3, -2, 0]]
    assert group_shifts(RANGES.middle, np.array([0, 1, 2])).tolist() == RANGES.middle.tolist()


def test_the_largest_magnitude_after_a_shift() -> None:
    assert RANGES.largest(np.zeros(3)).tolist() == [7, 3, 0]
    assert RANGES.largest(np.array([4.0, 0, 1])).tolist() == [4, 3, 1]
    assert RANGES.largest(np.array([4.0, 0, 1]), [0]).tolist() == [3, 1, 1]
    assert RANGES.largest(RANGES.middle).tolist() == [3, 3, 0]


def test_the_moving_average_starts_at_the_noisiest_step() -> None:
    """alpha .5: ((8 + 4) / 2 + 2) / 2 = 4. At alpha .99 and 100 steps the first weighs .99^99 = .37."""
    assert moving_average(np.array([[8.0], [4], [2]]), 0.5).tolist() == [4]
    first = np.zeros((100, 1))
    first[0] = 1
    assert moving_average(first, 0.99)[0] == pytest.approx(0.3697, abs=5e-5)
    assert moving_average(first, 1)[0] == 1
    with pytest.raises(ValueError, match=r"alpha=1.5: expected 0 to 1"):
        moving_average(first, 1.5)


def test_equation_7() -> None:
    """Half ranges of channel 0: 2, 1, 3; of channel 1: 1, 3, 1; m at alpha .5: 2.25 and 1.5."""
    weight = np.array([[0.25, -6, 9], [-1, 1.5, 0]])
    scale = channel_scale(RANGES, np.zeros((3, 3)), weight, "htg", 0.5)
    assert scale == pytest.approx([np.sqrt(2.25 / 1), np.sqrt(1.5 / 6), 1], rel=1e-15)
    dead = channel_scale(RANGES, np.zeros((3, 3)), np.zeros((2, 3)), "htg", 0.5)
    assert dead.tolist() == [1, 1, 1]


def test_the_other_rule_takes_the_groups_shift_and_no_weights() -> None:
    """With shift (4, 0, 0): largest of channel 0 is 3, 3, 4; of channel 1 is 1, 3, 3."""
    shift = np.broadcast_to(np.array([4.0, 0, 0]), (3, 3))
    scale = channel_scale(RANGES, shift, np.ones((2, 3)), "llmc", 0.5)
    assert scale.tolist() == [1, pytest.approx(2.5 / 3.5, rel=1e-15), 1]
    silent = Ranges(np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32))
    assert channel_scale(silent, np.zeros((3, 2)), np.ones((2, 2)), "llmc", 0.5).tolist() == [1, 1]


def test_no_rule_and_an_unknown_one() -> None:
    assert channel_scale(RANGES, RANGES.middle, np.ones((2, 3)), "none", 0.5).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="rule='mean': expected htg, llmc or none"):
        channel_scale(RANGES, RANGES.middle, np.ones((2, 3)), "mean", 0.5)  # type: ignore[arg-type]
