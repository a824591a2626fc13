"""The array's RTL in the simulator: tiles streamed out of memories against the bench that pokes every pin."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from fpsim.array.config import ArrayConfig
from fpsim.bench.measure import Comparison
from fpsim.verify.array_memory import run_memory, run_plain

SIZES = {16: 800, 32: 300}  # rows and columns to tiles of a run
DEPTH = 64  # beats of a tile
ROUNDS = 3


def array_from_memory(size: int, tiles: int, depth: int = DEPTH, rounds: int = ROUNDS) -> Comparison:
    """MAC/s of a size × size array, every sum compared with the law by either side.

    Times are of the processor, since a simulator shares its core: codes, the law's sums, files, the run.
    Builds are not in them; a run that finds none makes it first.
    """
    config = ArrayConfig(size, size)
    pairs = [(run_memory(config, tiles, depth, seed=i), run_plain(config, seed=i)) for i in range(rounds)]
    work = pairs[0][0].macs
    seconds, peer_seconds = (
        statistics.median(work / run.rate for run in column) for column in zip(*pairs, strict=True)
    )
    return Comparison(
        job=f"fpsim_mac_array {size}x{size} in Verilator, {tiles} tiles of {depth} beats from memory",
        peer="its bench, pin by pin",
        seconds=seconds,
        peer_seconds=peer_seconds,
        ratio=statistics.median(ours.rate / theirs.rate for ours, theirs in pairs),
        rate=work / seconds,
        unit="MAC/s",
        peak_bytes=max(ours.peak_bytes for ours, _ in pairs),
        rounds=rounds,
    )


def run_rtl_jobs() -> Iterator[Comparison]:
    """Both sizes, one after the other; the first time with builds of minutes."""
    for size, tiles in SIZES.items():
        yield array_from_memory(size, tiles)
