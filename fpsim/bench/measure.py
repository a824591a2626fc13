"""Time a job and its peer in turn, so that a machine whose speed drifts treats both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from fpsim.bench.memory import peak_memory

MIN_SECONDS = 0.02
ROUNDS = 9


@dataclass(frozen=True)
class Comparison:
    """A job against a peer, both on one thread.

    Attributes:
        job: what was done.
        peer: who else did it.
        seconds: median time of ours.
        peer_seconds: median time of the peer.
        ratio: median over rounds of peer time / our time; above 1 we are faster.
        rate: work per second of ours on its one thread, in `unit`.
        unit: "elements/s" or "MAC/s".
        peak_bytes: memory that ours takes at its peak above its operands (`memory` says how it is known).
        rounds: paired rounds.
    """

    job: str
    peer: str
    seconds: float
    peer_seconds: float
    ratio: float
    rate: float
    unit: str
    peak_bytes: int
    rounds: int


def compare(
    job: str,
    peer: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    work: int,
    unit: str,
    rounds: int | None = None,
) -> Comparison:
    """Run both once to warm up, then `rounds` times in turn; medians of times and of the pairwise ratio.

    A last run of ours measures its memory, apart from the times and after everything is compiled.
    """
    rounds = rounds or ROUNDS
    repeats = [_repeats(f) for f in (ours, theirs)]
    times = [(_once(ours, repeats[0]), _once(theirs, repeats[1])) for _ in range(rounds)]
    seconds, peer_seconds = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(theirs_s / ours_s for ours_s, theirs_s in times)
    rate, peak = work / seconds, peak_memory(ours)
    return Comparison(job, peer, seconds, peer_seconds, ratio, rate, unit, peak, rounds)


def _once(function: Callable[[], object], repeats: int) -> float:
    begin = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - begin) / repeats


def _repeats(function: Callable[[], object]) -> int:
    """Calls per timing so that one timing takes at least 20 ms (after one call to compile)."""
    function()
    return max(1, int(MIN_SECONDS / max(_once(function, 1), 1e-9)))
