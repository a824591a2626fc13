"""Sequences that Hypothesis chooses, all in one simulator process; a failing one is shrunk and written down.

Hypothesis is ordinary blocking code: it runs beside the simulation (cocotb's bridge) and comes back into it
for each sequence. What a replay shows is what the file keeps: there nothing ran before.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cocotb
from cocotb.task import bridge, resume
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky

from fpsim.verify.benches.chooser import steps
from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.sequence_player import Player
from fpsim.verify.benches.sequence_units import PLAYED
from fpsim.verify.job import JOB_VARIABLE, SEQUENCE_FILE
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.sequence import Sequence, Step, read_sequence, write_sequence

EXAMPLES, EXAMPLES_QUICK = 300, 60


@cocotb.test()
async def sequences(dut: Any) -> None:
    """The sequence of a file, or many that are searched for one that fails."""
    bench = Bench(dut, "sequences")
    player = Player(bench, PLAYED[bench.unit.name](bench))
    if bench.job.replay_file is not None:
        await _replay(bench, player)
    else:
        await _search(bench, player)


def _file() -> Path:
    return Path(os.environ[JOB_VARIABLE]).parent / SEQUENCE_FILE


async def _replay(bench: Bench, player: Player) -> None:
    """Play the file's sequence; where no result is compared, the cycles with right handshakes count."""
    sequence = read_sequence(_file())
    try:
        await player.play(sequence.steps, record=True)
    except RtlMismatch as mismatch:
        lines = tuple(str(mismatch).splitlines())
        write_sequence(_file(), replace(sequence, came=tuple(player.came), failure=lines))
        raise
    bench.compared = bench.compared or bench.cycle
    bench.finish()


async def _search(bench: Bench, player: Player) -> None:
    worst: list[tuple[list[Step], RtlMismatch]] = []  # the latest that failed; shrunk, it is the smallest
    cycles = 0

    @seed(f"{bench.job.seed}:{bench.unit.name}")
    @settings(
        max_examples=bench.pick(EXAMPLES, EXAMPLES_QUICK),
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
    )
    @given(steps(bench.unit, player.played.beats))
    def play(chosen: list[Step]) -> None:
        nonlocal cycles
        try:
            resume(player.play)(chosen)
        except RtlMismatch as mismatch:
            worst[:] = [(chosen, mismatch)]
            resume(player.flush)()
            raise
        cycles += bench.cycle

    try:
        await bridge(play)()
    except (RtlMismatch, Flaky):
        chosen, mismatch = worst[0]
        lines = tuple(str(mismatch).splitlines())
        found = Sequence(bench.unit.name, bench.config, bench.job.seed, tuple(chosen), (), lines)
        write_sequence(_file(), found)
        raise mismatch from None
    bench.cycle = cycles
    bench.finish()
