"""What the benches of fpsim_fifo and fpsim_skid share: every fill level, and the law cycle by cycle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from cocotb.triggers import Timer

from fpsim.arith.fifo import fifo
from fpsim.verify.benches.harness import Bench
from fpsim.verify.benches.stream import Beat, check_stream, one_to_one

Step = tuple[bool, bool]  # the input offers a word, the output takes one
REPEATS = 3  # how often in a row the same thing is tried at a fill level


class QueueClock:
    """Clocks a queue and compares both handshakes and the word on offer with the law in every cycle."""

    def __init__(self, bench: Bench, depth: int) -> None:
        self.bench = bench
        self.depth = depth
        self.held: tuple[int, ...] = ()
        self._index = 0

    async def reset(self, cycles: int = 2) -> None:
        """Reset with noise on the inputs; with no clock edge in it, it must act all the same."""
        self.bench.dut.in_valid_i.value = 1
        self.bench.dut.out_ready_i.value = 1
        self.bench.drive(self.bench.noise())
        await self.bench.reset(cycles)
        self.held = ()

    async def cycle(self, offer: bool, take: bool) -> None:
        """One clock cycle."""
        bench, dut = self.bench, self.bench.dut
        bench.drive(bench.noise())
        dut.in_valid_i.value = int(offer)
        dut.out_ready_i.value = int(take)
        await Timer(1, "ns")
        seen = bench.seen()
        wanted = fifo(self.held, self.depth, seen["data"] if offer else None, take)
        for signal, expected in (("in_ready_o", wanted.in_ready), ("out_valid_o", wanted.out_valid)):
            got = bench.read(getattr(dut, signal), signal)
            if got != expected:
                rows = [("held", f"{len(self.held)} of {self.depth} words"), ("expected", f"{int(expected)}")]
                raise bench.reporter.fault(f"{signal} differs from the law", [*rows, ("got", f"{got}")])
        if bench.sampler:
            bench.sampler.input_cycle(offer, wanted.in_ready)
            bench.sampler.output_cycle(wanted.out_valid, take)
        if wanted.out_valid:
            bench.compare(self._index, seen, {"data": self.held[0]}, bench.outputs())
            self._index += 1
        await bench.edge()
        self.held = wanted.held

    async def fill(self, level: int) -> None:
        """Bring the queue to so many words."""
        while len(self.held) != level:
            await self.cycle(len(self.held) < level, len(self.held) > level)


def _levels(depth: int) -> Iterator[tuple[int, Step, Step]]:
    steps = [(offer, take) for offer in (False, True) for take in (False, True)]
    yield from ((level, *pair) for level in range(depth + 1) for pair in product(steps, steps))


async def check_every_level(bench: Bench, depth: int) -> None:
    """At every fill level, every pair of what input and output may do in two cycles; then a reset."""
    clock = QueueClock(bench, depth)
    await clock.reset()
    for level, first, second in _levels(depth):
        await clock.fill(level)
        for _ in range(REPEATS):
            await clock.cycle(*first)
            await clock.cycle(*second)
    for cycles in (2, 0):
        await clock.fill(depth)
        await clock.reset(cycles)
        for _ in range(depth + 1):
            await clock.cycle(False, True)
    await clock.cycle(True, True)
    await clock.cycle(False, True)
    bench.finish()


async def check_random(bench: Bench) -> None:
    """Random words with random gaps and back-pressure, first cut off by a reset."""
    cut = (Beat(bench.noise()) for _ in range(20))
    beats = (Beat(bench.noise()) for _ in range(bench.pick(20_000, 2_000)))
    await check_stream(bench, one_to_one(lambda seen: {"data": seen["data"]}), beats, cut=cut)
    bench.finish()
