"""Stochastic codes: over all draws each neighbour comes up as often as its share; levels typed by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from fpsim.arith.integer_quantizer import integer_quantizer, integer_value
from fpsim.arith.quantizer import quantizer
from fpsim.arith.stochastic_quantizer import stochastic_quantizer

# Non-negative levels in units, rtl/README.md, "Operand codes".
LEVELS = {
    "e2m1": (0, 1, 2, 3, 4, 6, 8, 12),
    "e3m0": (0, 1, 2, 4, 8, 16, 32, 64),
    "e1m2": (0, 1, 2, 3, 4, 5, 6, 7),
    "int4": (0, 1, 2, 3, 4, 5, 6, 7),
    "int6": tuple(range(32)),
    "int8": tuple(range(128)),
}
BITS = {"int4": 4, "int6": 6, "int8": 8}


def level_of(code: int, fmt: str) -> int:
    """Signed level in units."""
    if fmt in BITS:
        return integer_value(code, fmt)
    return LEVELS[fmt][code & 7] * (-1 if code & 8 else 1)


@pytest.mark.parametrize("fmt", LEVELS)
@pytest.mark.parametrize("amp", [1, 13, 96, 1000])
def test_each_neighbour_comes_up_as_often_as_its_share(fmt: str, amp: int) -> None:
    nbits = 5
    levels = LEVELS[fmt]
    between = 0
    for h in range(-amp - 2, amp + 3, max(amp // 40, 1)):
        x = Fraction(levels[-1] * min(abs(h), amp), amp)
        below = max(level for level in levels if level <= x)
        above = min((level for level in levels if level > x), default=below)
        share = (x - below) / (above - below) if above > below else Fraction(0)
        sign = -1 if h < 0 else 1
        draws = [level_of(stochastic_quantizer(h, amp, fmt, (r, nbits)), fmt) for r in range(1 << nbits)]
        assert set(draws) <= {sign * below, sign * above}, (h, draws)
        if above > below:
            assert draws.count(sign * above) == int(share * 2**nbits), (h, share)  # int: floor
            between += share > 0
    assert between > 20 or amp == 1


@pytest.mark.parametrize("fmt", BITS)
def test_with_a_zero_point_the_steps_are_drawn_and_the_codes_saturate(fmt: str) -> None:
    bits, nbits, span = BITS[fmt], 3, 700
    top = 2**bits - 1
    cases = saturated = 0
    for zero in (-(2 ** (bits - 1)), -1, 2 ** (bits - 1) - 1):
        for h in range(-span - 3, span + 4, 7):
            for r in range(1 << nbits):
                exact = Fraction(top * min(abs(h), span), span)
                steps = (exact * 2**nbits + r) // 2**nbits  # the floor of the place plus a random share
                expected = (int(steps) if h >= 0 else -int(steps)) + zero
                got = integer_value(stochastic_quantizer(h, span, fmt, (r, nbits), zero), fmt)
                assert got == max(-(2 ** (bits - 1)), min(expected, 2 ** (bits - 1) - 1)), (h, r, zero)
                saturated += got != expected
                cases += 1
    assert cases == 3 * 201 * 8
    assert saturated > 500


@pytest.mark.parametrize("fmt", LEVELS)
def test_exact_levels_and_saturated_ones_never_move(fmt: str) -> None:
    amp = 12 * 7 * 31 * 127 * 64
    for level in LEVELS[fmt]:
        h = level * amp // LEVELS[fmt][-1]
        for value in (h, -h):
            nearest = quantizer(value, amp, fmt) if fmt not in BITS else integer_quantizer(value, amp, fmt)
            for r in (0, 1, 200, 255):
                assert stochastic_quantizer(value, amp, fmt, (r, 8)) == nearest
    assert level_of(stochastic_quantizer(5 * amp, amp, fmt, (255, 8)), fmt) == LEVELS[fmt][-1]
    assert level_of(stochastic_quantizer(77, 0, fmt, (255, 8)), fmt) == 0


def test_minus_zero_is_kept_where_the_format_has_one() -> None:
    assert stochastic_quantizer(-1, 1000, "e2m1", (0, 8)) == 8
    assert stochastic_quantizer(0, 1000, "e2m1", (255, 8)) == 0
    assert stochastic_quantizer(-1, 1000, "int8", (0, 8)) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fmt": "e4m3"}, "fmt='e4m3': expected int4, int6 or int8"),
        ({"amp": -1}, "amp=-1: expected an integer at least 0"),
        ({"h": 0.5}, "h=0.5: expected an integer"),
        ({"random_bits": (8, 3)}, "value of random_bits=8: expected an integer from 0 to 7"),
        ({"zero": 8}, "zero=8: expected an integer from -8 to 7"),
        ({"fmt": "e2m1", "zero": 0}, "zero=0: e2m1 has no zero point, expected None"),
    ],
)
def test_bad_arguments_are_refused(change: dict[str, object], message: str) -> None:
    arguments = {"h": 1, "amp": 10, "fmt": "int4", "random_bits": (0, 3), **change}
    with pytest.raises(ValueError, match=message):
        stochastic_quantizer(**arguments)  # type: ignore[arg-type]
