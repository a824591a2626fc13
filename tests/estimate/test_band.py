"""Bands: addition, scaling, order."""

import pytest

from fpsim.estimate.band import ZERO, Band, total


def test_bands_add_end_by_end() -> None:
    assert Band(1, 2, 4) + Band(10, 20, 30) == Band(11, 22, 34)
    assert total([Band(1, 2, 4), Band(1, 1, 1), Band(0, 0, 5)]) == Band(2, 3, 10)
    assert total([]) == ZERO


def test_bands_scale_from_both_sides() -> None:
    assert Band(1, 2, 4) * 2.5 == 2.5 * Band(1, 2, 4) == Band(2.5, 5, 10)


def test_disorder_and_negative_factors_are_refused() -> None:
    with pytest.raises(ValueError, match="low <= mid <= high"):
        Band(2, 1, 3)
    with pytest.raises(ValueError, match="factor=-1"):
        Band(1, 2, 3) * -1


def test_a_band_survives_plain_data() -> None:
    assert Band.from_dict(Band(1, 2, 4).to_dict()) == Band(1, 2, 4)
    with pytest.raises(ValueError, match="band"):
        Band.from_dict({"low": 1, "mid": 2})
