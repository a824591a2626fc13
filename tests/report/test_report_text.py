"""Numbers are written for people: grouped, signed, in SI units, without losing what matters."""

from __future__ import annotations

import math

import pytest

from fpsim.report import text


def test_counts_are_grouped_by_narrow_spaces() -> None:
    assert text.integer(1234567) == "1\u202f234\u202f567"
    assert text.integer(-12) == "−12"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (3.3821, "3.38"),
        (0.07634, "0.0763"),
        (9.999, "10.0"),
        (123456.0, "123\u202f456"),
        (-2.5, "−2.50"),
        (0.000001234, "1.23e−06"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
    ],
)
def test_three_significant_digits(value: float, written: str) -> None:
    assert text.significant(value) == written


def test_a_column_shares_its_decimals() -> None:
    assert text.column([0.0, 0.0763, 3.3821], 3) == ["0.0000", "0.0763", "3.3821"]
    assert text.column([12.25, math.inf]) == ["12", "∞"]


def test_a_small_number_never_shows_as_zero() -> None:
    assert text.column([0.5, 0.00002]) == ["0.50", "2.0e−05"]


def test_energy_and_area_units() -> None:
    assert text.energy_scale(999).quantity(999) == "999\u202fpJ"
    assert text.energy_scale(2.95e9).quantity(2.95e9) == "2.95\u202fmJ"
    assert text.energy_scale(0).quantity(0) == "0\u202fpJ"
    assert text.area_scale(9999).quantity(9999) == "9\u202f999\u202fµm²"
    assert text.area_scale(90418).quantity(90418) == "0.0904\u202fmm²"


def test_durations_and_lists() -> None:
    assert text.seconds(0.4213) == "0.421\u202fs"
    assert text.seconds(192.2) == "3\u202fmin 12\u202fs"
    assert text.counted(1, "unit") == "1 unit"
    assert text.counted(2, "unit") == "2 units"
    assert [text.listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
