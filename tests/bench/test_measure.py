"""The stop-watch of the benchmarks: pairs, medians and ratios, on functions whose time is known."""

from __future__ import annotations

import time

import pytest

from fpsim.bench import measure
from fpsim.bench.measure import compare


class Clock:
    """A clock that only the functions under test move."""

    def __init__(self) -> None:
        self.now = 0.0

    def spend(self, seconds: float) -> None:
        self.now += seconds


def test_ratios_are_peer_time_over_ours_and_rates_are_work_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock.now)
    result = compare(
        "job", "peer", lambda: clock.spend(0.5), lambda: clock.spend(2.0), work=100, unit="MAC/s", rounds=3
    )
    assert (result.seconds, result.peer_seconds, result.ratio) == pytest.approx((0.5, 2.0, 4.0))
    assert result.rate == pytest.approx(200)


def test_one_slow_round_does_not_move_the_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock.now)
    calls = iter([1.0, 1.0, 1.0, 1.0, 50.0, 1.0, 1.0, 1.0])
    result = compare(
        "job", "peer", lambda: clock.spend(next(calls)), lambda: clock.spend(3.0), work=1, unit="", rounds=5
    )
    assert result.ratio == pytest.approx(3.0)


def test_short_functions_are_repeated_until_a_timing_means_something() -> None:
    count = 0

    def quick() -> None:
        nonlocal count
        count += 1

    compare("job", "peer", quick, lambda: time.sleep(0.001), work=1, unit="", rounds=2)
    assert count > 1000
