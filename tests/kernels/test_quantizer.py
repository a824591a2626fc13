"""Codes against the nearest level found by distance, and E2M1 against ml_dtypes."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.kernels.quantizer import amax, quantizer
from tests.kernels.reference import LEVELS, OPERANDS


def nearest(h: NDArray[np.int64], amp: int, name: str) -> NDArray[np.int64]:
    """Codes by distance: level i stands for l_i · amp / l_7; all times l_7 to stay in integers."""
    levels = np.array(LEVELS[name], np.int64)
    if amp == 0:
        index = np.zeros(h.shape, np.int64)
    else:
        distance = np.abs(levels[7] * np.abs(h)[:, None] - levels * amp)
        least = distance == distance.min(axis=1, keepdims=True)
        low = least.argmax(axis=1)
        tie = least.sum(axis=1) == 2
        up = low >= 1 if name == "e3m0" else low % 2 == 1
        index = low + (tie & up)
    if name == "int4":
        return np.where(h < 0, -index, index) & 15
    return index | np.where(h < 0, 8, 0)


@pytest.mark.parametrize("name", OPERANDS)
def test_every_small_case(name: str) -> None:
    count = 0
    for amp in range(260):
        h = np.arange(-2 * amp - 3, 2 * amp + 4, dtype=np.int32)
        got = quantizer(h[None], np.array([amp], np.int32), name)[0]
        np.testing.assert_array_equal(got, nearest(h.astype(np.int64), amp, name), err_msg=f"{amp=}")
        count += h.size
    assert count == sum(4 * amp + 7 for amp in range(260))


@pytest.mark.parametrize("name", OPERANDS)
def test_around_every_boundary_of_large_amplitudes(name: str) -> None:
    rng = np.random.default_rng(4)
    levels = np.array(LEVELS[name], np.int64)
    amps = np.concatenate([rng.integers(1, 2048, 300) << rng.integers(0, 19, 300), [1 << 30, 2047 << 19]])
    middles = (levels[:-1] + levels[1:]) * amps[:, None] // (2 * levels[7])
    h = np.concatenate([middles + d for d in (-1, 0, 1, 2)], axis=1)
    h = np.concatenate([h, -h, np.full((amps.size, 2), [2**31 - 1, 1 - 2**31])], axis=1)
    got = quantizer(h.astype(np.int32), amps.astype(np.int32), name)
    for row, amp, codes in zip(h, amps.tolist(), got, strict=True):
        np.testing.assert_array_equal(codes, nearest(row, amp, name), err_msg=f"{amp=}")
    assert got.size == 302 * 58


def test_e2m1_equals_ml_dtypes_where_the_scale_is_a_power_of_two() -> None:
    h = np.arange(-(1 << 16), 1 << 16, dtype=np.int32)
    for shift in (3, 8, 12):
        amp = 6 << shift  # h / 2^shift is exact, and 6 is the largest E2M1 value
        want = np.clip(h / 2.0**shift, -6, 6).astype(np.float32).astype(ml_dtypes.float4_e2m1fn)
        np.testing.assert_array_equal(
            quantizer(h[None], np.array([amp], np.int32), "e2m1")[0], want.view(np.uint8)
        )


@pytest.mark.parametrize("name", ["e1m2", "int4"])
def test_uniform_grids_round_half_to_even(name: str) -> None:
    h = np.arange(-7 * 64, 7 * 64 + 1, dtype=np.int32)
    codes = quantizer(h[None], np.array([7 * 64], np.int32), name)[0].astype(np.int64)
    values = np.where(codes < 8, codes, codes - 16 if name == "int4" else 8 - codes)
    np.testing.assert_array_equal(values, np.rint(h / 64))


def test_amplitude_zero_leaves_only_signs() -> None:
    h = np.array([[-5, -1, 0, 1, 5]], np.int32)
    zero = np.zeros(1, np.int32)
    for name in ("e2m1", "e3m0", "e1m2"):
        assert quantizer(h, zero, name).tolist() == [[8, 8, 0, 0, 0]]
    assert quantizer(h, zero, "int4").tolist() == [[0] * 5]


def test_amax_is_the_largest_magnitude() -> None:
    rng = np.random.default_rng(5)
    h = rng.integers(-(2**31) + 1, 2**31, (200, 37), dtype=np.int32)
    np.testing.assert_array_equal(amax(h), np.abs(h.astype(np.int64)).max(axis=1))
    assert amax(np.array([[-7, 3], [0, 0]], np.int32)).tolist() == [7, 0]
    assert amax(np.empty((2, 0), np.int32)).tolist() == [0, 0]


def test_bad_arguments_are_named() -> None:
    h, amp = np.zeros((2, 3), np.int32), np.zeros(2, np.int32)
    with pytest.raises(ValueError, match="fmt='e4m3': expected one of e2m1, e3m0, e1m2, int4"):
        quantizer(h, amp, "e4m3")
    with pytest.raises(ValueError, match=r"amp.shape=\(1,\): expected \(2,\)"):
        quantizer(h, amp[:1], "e2m1")
    with pytest.raises(ValueError, match="amp holds -1: expected values from 0"):
        quantizer(h, amp - 1, "e2m1")
    for function in (amax, lambda x: quantizer(x, amp, "e2m1")):
        with pytest.raises(ValueError, match="h holds -2147483648"):
            function(np.full((2, 3), -(2**31), np.int32))
