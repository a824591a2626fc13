"""What every bench shares: the job, the pins, the count of compared results, the combinational loop."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cocotb.triggers import Timer

from fpsim.verify.covergroups.table import sampler
from fpsim.verify.job import GOLDEN_FILE, JOB_VARIABLE, RESULT_FILE, Job
from fpsim.verify.mismatch import Reporter
from fpsim.verify.units import Kind, Port

Words = dict[str, int]
Law = Callable[[Words], Words]


def pack(lanes: Iterable[int], bits: int) -> int:
    """One word out of lanes, lane 0 lowest; negative lanes as two's complement."""
    mask = (1 << bits) - 1
    word = 0
    for index, lane in enumerate(lanes):
        word |= (lane & mask) << (index * bits)
    return word


class Bench:
    """One kind of vectors on one simulated unit.

    Attributes:
        dut: the simulator's handle of the unit.
        unit: its ports and parameters.
        config: what it is built with.
        rng: seeded by job, unit and kind; the only source of randomness.
        cycle: clock cycles (combinational: steps) so far.
        compared: results compared so far: one for each lane of each output beat.
        sampler: counts functional coverage, where the job asks for it.
    """

    def __init__(self, dut: Any, kind: Kind) -> None:
        self._job_file = Path(os.environ[JOB_VARIABLE])
        self.job = Job.read(self._job_file)
        self.dut = dut
        self.kind = kind
        self.unit = self.job.unit
        self.config = self.job.config
        self.rng = random.Random(f"{self.job.seed}:{self.unit.name}:{kind}")
        self.cycle = 0
        self.compared = 0
        self.sampler = sampler(self.unit, self.config) if self.job.functional else None
        self.reporter = Reporter(self.job, kind, lambda: self.cycle)
        self._inputs = {port.name: getattr(dut, port.signal) for port in self.unit.inputs}
        self._outputs = [(port, getattr(dut, port.signal)) for port in self.unit.outputs]

    def pick(self, full: int, quick: int) -> int:
        """A number of vectors: `quick` where the job asks for fewer."""
        return quick if self.job.quick else full

    def golden(self) -> tuple[list[Words], list[Words]]:
        """Input beats and output beats of the job's golden set."""
        data = json.loads((self._job_file.parent / GOLDEN_FILE).read_text(encoding="utf-8"))
        return self._beats(data, self.unit.inputs), self._beats(data, self.unit.outputs)

    def _beats(self, data: dict[str, list[int]], ports: tuple[Port, ...]) -> list[Words]:
        names = [port.name for port in ports if port.name in data]
        return [dict(zip(names, words, strict=True)) for words in zip(*(data[n] for n in names), strict=True)]

    def require_lines(self, expected: int, got: int) -> None:
        """Refuse a golden set with more or fewer output lines than its inputs lead to."""
        if expected != got:
            raise ValueError(f"golden={self.job.golden!r}: {got} output lines, its inputs lead to {expected}")

    def read(self, handle: Any, signal: str) -> int:
        """The value on a pin; X and Z are failures, never 0."""
        text = str(handle.value)
        try:
            return int(text, 2)
        except ValueError:
            raise self.reporter.fault(f"{signal} is not driven", [("got", f"{signal} = {text}")]) from None

    def drive(self, words: Words) -> None:
        """Put words on input ports."""
        for name, word in words.items():
            self._inputs[name].value = word

    def seen(self) -> Words:
        """What is on the input ports."""
        return {name: self.read(handle, name) for name, handle in self._inputs.items()}

    def outputs(self) -> Words:
        """What is on the output ports."""
        return {port.name: self.read(handle, port.signal) for port, handle in self._outputs}

    def noise(self) -> Words:
        """Random words for all input ports."""
        return {port.name: self.rng.getrandbits(port.width) for port in self.unit.inputs}

    def compare(
        self,
        index: int,
        inputs: Words,
        expected: Words,
        got: Words,
        notes: Callable[[int], list[tuple[str, str]]] | None = None,
    ) -> None:
        """Raise RtlMismatch unless every expected word was got; else count its lanes."""
        if any(got[name] != word for name, word in expected.items()):
            raise self.reporter.mismatch(index, inputs, expected, got, notes)
        self.compared += max(port.lanes for port, _ in self._outputs if port.name in expected)
        if self.sampler:
            self.sampler.result(inputs, expected)

    async def edge(self) -> None:
        """A rising clock edge, then half a cycle; the clock is left falling."""
        self.dut.clk_i.value = 1
        await Timer(1, "ns")
        self.dut.clk_i.value = 0
        self.cycle += 1

    async def reset(self, cycles: int = 2) -> None:
        """Pull the reset down, clock a few times, release it; other inputs stay as they are."""
        self.dut.clk_i.value = 0
        self.dut.rst_ni.value = 1
        await Timer(1, "ns")
        self.dut.rst_ni.value = 0
        for _ in range(cycles):
            await Timer(1, "ns")
            await self.edge()
        await Timer(1, "ns")
        self.dut.rst_ni.value = 1
        if self.sampler:
            self.sampler.reset()

    async def check_combinational(self, vectors: Iterable[Words], law: Law) -> None:
        """Drive each vector, compare with the law's outputs for it."""
        for index, words in enumerate(vectors):
            self.drive(words)
            await Timer(1, "ns")
            self.cycle += 1
            seen = self.seen()
            self.compare(index, seen, law(seen), self.outputs())

    async def check_golden_combinational(self) -> None:
        """Drive the golden set's beats, compare with its outputs."""
        inputs, outputs = self.golden()
        answers = iter(outputs)
        self.require_lines(len(inputs), len(outputs))
        await self.check_combinational(inputs, lambda _: next(answers))

    def finish(self, **measured: int) -> None:
        """Report the count to the runner, which refuses a count of zero."""
        result_file = self._job_file.parent / RESULT_FILE
        results = json.loads(result_file.read_text("utf-8")) if result_file.exists() else {}
        results[self.kind] = {
            "compared": self.compared,
            "cycles": self.cycle,
            "measured": measured,
            "functional": self.sampler.hits() if self.sampler else {},
        }
        result_file.write_text(json.dumps(results), encoding="utf-8")
