"""Accumulator widths of the literature, and what each overflow rule does."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.arith.accumulate import accumulate
from fpsim.formats import Accumulator

from .tables import wrapped

# Worst-case signed widths of an exact accumulator: largest product in units, then width by K.
# From the largest magnitudes 12 (E2M1), 7 (E1M2), 64 (E3M0), 8 (INT4), 128 (INT8) and two's complement.
WIDTHS = {
    "e2m1 x e2m1": (144, {64: 15, 128: 16, 1152: 19, 4608: 21}),
    "e1m2 x e1m2": (49, {64: 13, 128: 14, 1152: 17, 4608: 19}),
    "e3m0 x e3m0": (4096, {64: 20, 128: 21, 1152: 24, 4608: 26}),
    "e3m0 x e2m1": (768, {64: 17, 128: 18, 1152: 21, 4608: 23}),
    "e3m0 x e1m2": (448, {64: 16, 128: 17, 1152: 20, 4608: 22}),
    "e2m1 x e1m2": (84, {64: 14, 128: 15, 1152: 18, 4608: 20}),
    "int4 x int4": (64, {1152: 18, 4608: 20}),
    "int4 x int8": (1024, {1152: 22, 4608: 24}),
    "int8 x int8": (16384, {1152: 26, 4608: 28}),
}


def test_the_stated_width_holds_the_worst_sum_and_one_bit_less_wraps() -> None:
    cases = 0
    for name, (product, widths) in WIDTHS.items():
        for depth, bits in widths.items():
            products = [product] * depth
            exact = product * depth
            assert accumulate(products, Accumulator.exact(bits)) == exact, f"{name} K={depth} bits={bits}"
            assert accumulate(products, Accumulator.exact(bits - 1)) != exact, f"{name} K={depth}"
            cases += 2
    assert cases == 60


@pytest.mark.parametrize(
    ("overflow", "expected"),
    [
        ("wrap", [100, -56, -106, 22]),
        ("saturate", [100, 127, 77, -51]),
        ("saturate-end", [100, 127, 127, 22]),
    ],
)
def test_each_overflow_rule_step_by_step(overflow: str, expected: list[int]) -> None:
    # 8 bits; exact sums 100, 200, 150, 22; worked by hand.
    acc = Accumulator("exact", 8, overflow)  # type: ignore[arg-type]
    products = [100, 100, -50, -128]
    assert [accumulate(products[: i + 1], acc) for i in range(4)] == expected


def test_saturation_clamps_at_both_ends() -> None:
    for overflow in ("saturate", "saturate-end"):
        acc = Accumulator("exact", 8, overflow)  # type: ignore[arg-type]
        assert accumulate([-100, -100], acc) == -128
        assert accumulate([100, 100], acc) == 127


def test_wrapping_is_numpys() -> None:
    rng = np.random.default_rng(30)
    products = rng.integers(-4096, 4097, (300, 50))
    for bits in (9, 14, 16, 26):
        expected = wrapped(products.sum(axis=1), bits)
        assert [accumulate(row, Accumulator.exact(bits)) for row in products.tolist()] == expected.tolist()


def test_all_rules_agree_while_no_prefix_leaves_the_register() -> None:
    rng = np.random.default_rng(31)
    agreed = differed = 0
    for row in rng.integers(-4096, 4097, (400, 40)).tolist():
        prefixes = np.cumsum(row)
        results = {rule: accumulate(row, Accumulator("exact", 16, rule)) for rule in ("wrap", "saturate")}
        if np.all((prefixes >= -(1 << 15)) & (prefixes < 1 << 15)):
            assert set(results.values()) == {sum(row)}
            agreed += 1
        else:
            differed += results["saturate"] != sum(row)
    assert agreed > 100
    assert differed > 10


def test_no_products_give_zero() -> None:
    assert accumulate([], Accumulator.exact(26)) == 0
