"""fpsim_hadamard_outer against fpsim.arith.hadamard_outer: basis vectors, full swing, random blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

import cocotb

from fpsim.arith.hadamard import hadamard_matrix
from fpsim.arith.hadamard_outer import hadamard_outer
from fpsim.verify.benches.harness import Bench, Words, pack
from fpsim.verify.benches.stream import CUT_CYCLES, Beat, Expectation, Stream, measure
from fpsim.verify.mismatch import as_signed

BASES = (1, 12, 36)


@dataclass(frozen=True)
class Shape:
    """Shape of a block."""

    base: int
    points: int
    stride: int = 1

    @property
    def words(self) -> Words:
        """As the unit's ports have it."""
        return {"base": BASES.index(self.base), "points": self.points, "stride": self.stride}


class Model:
    """Collects the beats of a block as they go in; the last one brings the block's results."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._shape = Shape(1, 1)
        self._beats: list[list[int]] = []

    def __call__(self, seen: Words) -> list[Expectation]:
        x_port, y_port = self.bench.unit.inputs[3], self.bench.unit.outputs[0]
        if not self._beats:
            base = BASES[seen["base"]]
            self._shape = Shape(base, seen["points"] if base == 1 else base, seen["stride"])
        shape = self._shape
        self._beats.append([as_signed(x_port.lane(seen["x"], i), x_port.bits) for i in range(x_port.lanes)])
        if len(self._beats) < shape.points * shape.stride:
            return []
        results = hadamard_outer(self._beats, shape.base, shape.points, shape.stride)
        self._beats = []
        return [Expectation({"y": pack(y, y_port.bits)}, shape.words) for y in results]


def _block(bench: Bench, shape: Shape, beats: Iterable[list[int]]) -> Iterator[Beat]:
    """The beats of a block; the shape comes with the first one only, the others have noise there."""
    for number, beat in enumerate(beats):
        x = pack(beat, bench.unit.inputs[3].bits)
        noise = bench.noise() | {"base": bench.rng.randrange(3)}
        yield Beat(noise | (shape.words if number == 0 else {}) | {"x": x})


async def _check(bench: Bench, blocks: Iterator[Beat], *, stress: bool, cut: Iterable[Beat] = ()) -> None:
    stream = Stream(bench, Model(bench), stress=stress)
    await stream.reset()
    await stream.run(cut, cycles=CUT_CYCLES)
    stream.model = Model(bench)
    await stream.reset()
    await stream.run(blocks)


def _shapes(limit: int) -> Iterator[Shape]:
    """Every base and number of points with strides 1, 2 and the largest; then many of the smallest blocks."""
    for base, points in (*((1, 1 << i) for i in range(7)), (12, 12), (36, 36)):
        yield from (Shape(base, points, stride) for stride in sorted({1, 2, limit // points}))
    yield from (Shape(1, 1 << number % 3, 1) for number in range(400))


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Basis vectors, one column of the matrix per lane, then rows of it at full swing in either direction.

    All columns fix every entry of the matrix (quick: one block of them); a row at full swing drives its
    result to the extreme that the width must hold.
    """
    bench = Bench(dut, "exhaustive")
    x_port = bench.unit.inputs[3]
    lanes, peak = x_port.lanes, (1 << (x_port.bits - 1)) - 1

    def blocks() -> Iterator[Beat]:
        for base, points in ((1, 1), (1, 2), (1, bench.pick(64, 8)), (12, 12), (36, 36)):
            matrix = hadamard_matrix(points, base)
            for first in range(0, points, lanes):
                basis = [[int((first + lane) % points == j) for lane in range(lanes)] for j in range(points)]
                yield from _block(bench, Shape(base, points), basis)
                if bench.job.quick:
                    break
            rows = [matrix[lane % points] for lane in range(lanes)]
            swing = [
                [peak * row[j] * (-1 if lane % 2 else 1) for lane, row in enumerate(rows)]
                for j in range(points)
            ]
            yield from _block(bench, Shape(base, points), swing)
        shapes = (Shape(1, 1), Shape(1, 1, 2), Shape(1, 2))
        for shape, gap in product(shapes, range(8)):  # while the block before is on its way, or just after
            opening, *others = _block(bench, shape, [[1] * lanes] * shape.points * shape.stride)
            yield replace(opening, gap=gap)
            yield from others

    await _check(bench, blocks(), stress=False)
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random blocks of all bases and strides, with gaps, back-pressure and a reset in the middle."""
    bench = Bench(dut, "random")
    rng, x_port = bench.rng, bench.unit.inputs[3]
    limit, peak = bench.unit.parameters["MaxBeats"], (1 << (x_port.bits - 1)) - 1

    def blocks() -> Iterator[Beat]:
        for shape in _shapes(limit):
            rows = range(shape.points * shape.stride)
            yield from _block(bench, shape, ([rng.randint(-3, 3) for _ in range(x_port.lanes)] for _ in rows))
        fixed = [Shape(36, 36, 4), Shape(12, 12, 12)] * (not bench.job.quick)
        for number in range(bench.pick(20, 8)):
            points = rng.choice((1, 2, 4, 8, 16, 12, 12, 36))
            base = points if points in BASES else 1
            largest = min(limit // points, 2 if points == 36 else 6)
            shape = fixed[number] if number < len(fixed) else Shape(base, points, rng.randint(1, largest))
            top = rng.choice((3, peak))
            beats = (
                [rng.randint(-top, top) for _ in range(x_port.lanes)]
                for _ in range(shape.points * shape.stride)
            )
            yield from _block(bench, shape, beats)

    await _check(bench, blocks(), stress=True, cut=islice(blocks(), 30))
    cycles = {}
    for name, count in (("one", 1), ("two", 2)):
        beats = [
            beat for _ in range(count) for beat in _block(bench, Shape(12, 12, 2), [[1] * x_port.lanes] * 24)
        ]
        cycles[name] = await measure(bench, Model(bench), beats)
    bench.finish(**cycles)
