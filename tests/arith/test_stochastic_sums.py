"""Sums that round stochastically: neighbours, random values, means, in fractions worked here."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fpsim.arith.dot_product import dot_product
from fpsim.formats import Accumulator, Format, get

KINDS = ("sequential", "unfused", "tree", "unfused tree", "exact-plus-c", "steps")


def make(kind: str, fmt: str) -> Accumulator:
    return {
        "sequential": Accumulator.sequential(fmt, "stochastic"),
        "unfused": Accumulator.sequential(fmt, "stochastic", fused=False),
        "tree": Accumulator.tree(fmt, 4, "stochastic"),
        "unfused tree": Accumulator.tree(fmt, 4, "stochastic", fused=False),
        "exact-plus-c": Accumulator.exact_plus_c(fmt, "stochastic"),
        "steps": Accumulator.exact_plus_c(fmt, "stochastic", step=3),
    }[kind]


def finite(fmt: str) -> list[Fraction]:
    """All magnitudes of a small format, in order."""
    form = get(fmt)
    return [form.value(code) for code in range(form.max_magnitude_code + 1)]  # type: ignore[misc]


def neighbours(x: Fraction, magnitudes: list[Fraction]) -> tuple[Fraction, Fraction]:
    at = bisect_right(magnitudes, x)
    return magnitudes[at - 1], magnitudes[at]


def oracle(x: Fraction, value: int, nbits: int, magnitudes: list[Fraction]) -> Fraction:
    """x, within the range, rounded by the definition."""
    low, high = neighbours(abs(x), magnitudes)
    up = (abs(x) - low) / (high - low) * 2**nbits // 1 + value >= 2**nbits
    return (high if up else low) * (-1 if x < 0 else 1)


def bits_of(x: Fraction) -> int:
    return int(np.float32(float(x)).view(np.uint32))


def value_of(bits: int) -> Fraction:
    return Fraction(float(np.uint32(bits).view(np.float32)))


@pytest.mark.parametrize("fmt", ["e5m2", "e4m3", "e3m2"])
def test_only_the_two_neighbours_come_and_their_mean_is_the_sum(fmt: str) -> None:
    magnitudes, nbits, cases = finite(fmt), 6, 0
    rng = np.random.default_rng(230)
    acc = Accumulator.sequential(fmt, "stochastic")
    e2m3, e2m1 = get("e2m3"), get("e2m1")
    while cases < 20:
        a, b = int(rng.integers(64)), int(rng.integers(16))
        c = magnitudes[int(rng.integers(len(magnitudes)))] * (-1) ** int(rng.integers(2))
        product = e2m3.value(a) * e2m1.value(b)  # type: ignore[operator]
        exact = c + product
        if abs(exact) >= magnitudes[-1]:
            continue
        low, high = neighbours(abs(exact), magnitudes)
        share = (abs(exact) - low) / (high - low)
        results = []
        for value in range(1 << nbits):
            got = dot_product([a], [b], e2m3, e2m1, acc, c_bits=bits_of(c), random_bits=([value], nbits))
            results.append(value_of(got))
        assert {abs(x) for x in results} <= {low, high}
        assert sum(abs(x) == high for x in results) == share * 2**nbits // 1 or low == high
        if (share * 2**nbits).denominator == 1:
            assert sum(results) / len(results) == exact
            cases += 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fmt", ["e5m2", "e4m3"])
def test_every_rounding_takes_its_own_random_bits(fmt: str, kind: str) -> None:
    rng = np.random.default_rng([231, KINDS.index(kind)])
    acc, magnitudes = make(kind, fmt), finite(fmt)
    e2m3, e3m2 = get("e2m3"), get("e3m2")
    for depth in (1, 2, 3, 4, 5, 9, 11):
        a, b = rng.integers(0, 64, depth).tolist(), rng.integers(0, 64, depth).tolist()
        nbits = int(rng.integers(1, 20))
        values = rng.integers(0, 1 << nbits, acc.roundings(depth)).tolist()
        c = Fraction(-3, 2)
        products = [e2m3.value(x) * e3m2.value(y) for x, y in zip(a, b, strict=True)]  # type: ignore[operator]
        draws = iter(values)

        def rounded(x: Fraction) -> Fraction:
            return oracle(x, next(draws), nbits, magnitudes)  # noqa: B023

        total = c
        if acc.kind == "exact-plus-c":
            step = acc.step or depth
            for start in range(0, depth, step):
                total = rounded(total + sum(products[start : start + step]))
        else:
            for start in range(0, depth, acc.step):
                level = [x if acc.fused else rounded(x) for x in products[start : start + acc.step]]
                while len(level) > 1:
                    pairs = [rounded(x + y) for x, y in zip(level[::2], level[1::2], strict=False)]
                    level = pairs + ([level[-1]] if len(level) % 2 else [])
                total = rounded(total + level[0])
        assert next(draws, None) is None
        got = dot_product(a, b, e2m3, e3m2, acc, c_bits=bits_of(c), random_bits=(values, nbits))
        assert value_of(got) == total, f"{kind} K={depth} nbits={nbits}"


@pytest.mark.parametrize(("fmt", "largest", "step"), [("e5m2", 57344, 8192), ("fp16", 65504, 32)])
def test_ends_of_the_range(fmt: str, largest: int, step: int) -> None:
    four, c, infinity = [6], bits_of(Fraction(largest)), 0x7F800000  # 16, a 512th or half of the last step
    reaches = (1 << 12) - 16 * 4096 // step
    for overflow, beyond in (("ieee", infinity), ("inf", infinity), ("saturate", c)):
        acc = Accumulator.sequential(fmt, "stochastic", overflow=overflow)  # type: ignore[arg-type]
        for value, want in ((0, c), (reaches - 1, c), (reaches, beyond), (4095, beyond)):
            random = ([value], 12)
            assert dot_product(four, four, "e2m1", "e2m1", acc, c_bits=c, random_bits=random) == want


def test_a_negative_sum_that_rounds_to_zero_is_minus_zero() -> None:
    tiny = Format("e2m1t", 2, 1, bias=20)  # steps of 2^-20: a product of 2^-40 is a 2^16th of FP16's step
    acc = Accumulator.sequential("fp16", "stochastic")
    got = [dot_product([1], [9], tiny, tiny, acc, random_bits=([v], 16)) for v in (0, 0xFFFE, 0xFFFF)]
    assert got == [0x80000000, 0x80000000, bits_of(-get("fp16").step)]


def test_bad_random_bits_are_named() -> None:
    acc, plain = Accumulator.sequential("fp16", "stochastic"), Accumulator.sequential("fp16")
    cases: list[tuple[Accumulator, dict[str, Any], str]] = [
        (acc, {}, "random_bits=None with rounding='stochastic'"),
        (plain, {"random_bits": ([1], 4)}, "with rounding='rne'"),
        (acc, {"random_bits": ([1, 2], 4)}, "random_bits of 2 values: expected 1"),
        (acc, {"random_bits": ([16], 4)}, "value of random_bits"),
        (
            acc,
            {"random_bits": ([1], 4), "c_bits": 0x3F800001},
            "c_bits=0x3f800001: expected a number of fp16",
        ),
    ]
    for how, options, message in cases:
        with pytest.raises(ValueError, match=message):
            dot_product([7], [7], "e2m1", "e2m1", how, **options)
