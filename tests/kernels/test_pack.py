"""Two codes per byte, element 0 in the low nibble."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.kernels.pack import pack, unpack


def test_element_zero_is_the_low_nibble() -> None:
    assert pack(np.array([0x1, 0x2, 0xF, 0x0], np.uint8)).tolist() == [0x21, 0x0F]


def test_all_bytes_round_trip() -> None:
    every = np.arange(256, dtype=np.uint8)
    codes = unpack(every)
    assert codes.size == 512
    assert codes[2 * 0xA7 : 2 * 0xA7 + 2].tolist() == [0x7, 0xA]
    np.testing.assert_array_equal(pack(codes), every)
    shaped = every.reshape(2, 8, 16)
    assert unpack(shaped).shape == (2, 8, 32)
    np.testing.assert_array_equal(pack(unpack(shaped)), shaped)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"codes.shape=\(3,\): expected a last axis of even length"):
        pack(np.zeros(3, np.uint8))
    with pytest.raises(ValueError, match="codes holds 16: expected values from 0 to 15"):
        pack(np.array([3, 16], np.uint8))
    with pytest.raises(ValueError, match="expected uint8"):
        pack(np.zeros(2, np.int64))
    with pytest.raises(ValueError, match=r"packed.shape=\(\): expected at least one axis"):
        unpack(np.array(3, np.uint8))
