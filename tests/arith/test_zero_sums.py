"""Zero points taken out of a sum afterwards equal zero points taken out of every operand."""

from __future__ import annotations

import numpy as np

from fpsim.arith.zero_sums import without_zeros


def test_it_is_the_sum_of_products_of_differences() -> None:
    rng = np.random.default_rng(9)
    for depth in (1, 2, 7, 96):
        for _ in range(100):
            a, w = rng.integers(-128, 128, depth), rng.integers(-128, 128, depth)
            z_a, z_w = int(rng.integers(-128, 128)), int(rng.integers(-(1 << 15), 1 << 15))
            got = without_zeros(int(a @ w), int(a.sum()), int(w.sum()), depth, z_a, z_w)
            assert got == int((a - z_a) @ (w - z_w))


def test_no_zero_points_change_nothing() -> None:
    assert without_zeros(-77, 5, -6, 3, 0, 0) == -77
