"""The message of a failure: everything that is needed to see it again, as bits and as values."""

from __future__ import annotations

import re
from collections.abc import Callable

from fpsim.array.config import OPERAND_FORMATS
from fpsim.formats import Format, get
from fpsim.verify.job import Job
from fpsim.verify.units import Port

LANES_SHOWN = 64


class RtlMismatch(RuntimeError):
    """The RTL and the law disagree; the message shows inputs, both outputs, place, seed and replay.

    Attributes:
        kind: kind of the vectors that were running; empty where it is not known.
        time_ns: simulated time of the failure, from the simulator's start.
        sequence: file of a sequence that fails, where one was searched and found; else empty.
    """

    def __init__(self, message: str, kind: str = "", time_ns: float = 0.0, sequence: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.time_ns = time_ns
        self.sequence = sequence

    @property
    def cycle(self) -> int:
        """The cycle that the message names."""
        found = re.search(r"^  vectors .*, cycle (\d+)$", str(self), re.MULTILINE)
        return int(found[1]) if found else 0


def as_signed(bits: int, width: int) -> int:
    """A raw lane as a two's complement integer."""
    return bits - (1 << width) if bits >> (width - 1) else bits


def _number(fmt: str | Format, bits: int) -> str:
    """The value of a code, with its format; minus zero is told apart."""
    form = get(fmt)
    value = form.value(bits)
    if value == 0 and form.kind == "float" and bits != 0:
        text = "-0"
    elif isinstance(value, str) or value.denominator == 1:
        text = str(value)
    else:
        text = repr(float(value))
    return f"{text} as {form.name}"


def lane_value(port: Port, bits: int, fmt: str | None = None) -> str:
    """What one lane means, in words; `fmt` is the operand format of a code, if it is known."""
    if port.fmt is not None:
        return _number(port.fmt, bits)
    if port.meaning == "signed":
        return str(as_signed(bits, port.bits))
    if port.meaning in ("fp16", "tf32"):
        return _number(port.meaning, bits)
    if port.meaning == "format":
        return OPERAND_FORMATS[bits]
    if port.meaning == "code":
        return ", ".join(_number(name, bits) for name in ((fmt,) if fmt else OPERAND_FORMATS))
    return str(bits)


def show(port: Port, word: int, lane: int | None, fmt: str | None = None) -> str:
    """One port as `signal = bits (value)`: one lane of it, or all of them."""
    if port.lanes == 1 or lane is not None:
        index = lane or 0
        bits = port.lane(word, index)
        place = f"[lane {index}]" if port.lanes > 1 else ""
        return f"{port.signal}{place} = {port.bits}'b{bits:0{port.bits}b} ({lane_value(port, bits, fmt)})"
    digits = (port.width + 3) // 4
    shown = [lane_value(port, port.lane(word, i), fmt) for i in range(min(port.lanes, LANES_SHOWN))]
    more = ", …" if port.lanes > LANES_SHOWN else ""
    return f"{port.signal} = {port.width}'h{word:0{digits}x} (lanes 0 up: {', '.join(shown)}{more})"


class Reporter:
    """Makes the failures of one bench: knows the job, counts nothing, formats everything."""

    def __init__(self, job: Job, kind: str, cycle: Callable[[], int]) -> None:
        self.job = job
        self.unit = job.unit
        self.kind = kind
        self._cycle = cycle

    def fault(self, headline: str, rows: list[tuple[str, str]]) -> RtlMismatch:
        """An exception with this headline, these rows, and where and how to see it again."""
        parameters = " ".join(f"{name}={value}" for name, value in self.unit.parameters.items()) or "none"
        table = [
            ("parameters", parameters),
            ("vectors", f"{self.kind}, seed {self.job.seed}, cycle {self._cycle()}"),
            *rows,
            ("replay", self.job.replay(self.kind)),
        ]
        lines = [f"{self.unit.top}: {headline}"]
        lines += [f"  {label:<11}{text}" for label, text in table]
        return RtlMismatch("\n".join(lines))

    def mismatch(
        self,
        index: int,
        inputs: dict[str, int],
        expected: dict[str, int],
        got: dict[str, int],
        notes: Callable[[int], list[tuple[str, str]]] | None = None,
    ) -> RtlMismatch:
        """The first lane that differs between two sets of outputs, with the inputs that led to it.

        Args:
            index: number of the output beat, from 0.
            inputs: words by field name; a port with as many lanes as the output shows that lane only.
            expected: words that the law (or the golden set) gives.
            got: words that the RTL gave.
            notes: further rows about a lane (for units whose outputs depend on many beats).
        """
        port = next(p for p in self.unit.outputs if p.name in expected and expected[p.name] != got[p.name])
        wrong = [
            i for i in range(port.lanes) if port.lane(expected[port.name], i) != port.lane(got[port.name], i)
        ]
        lane = wrong[0]
        fmt = OPERAND_FORMATS[inputs["fmt"]] if "fmt" in inputs else None
        several = f", {len(wrong)} of {port.lanes} lanes of {port.signal} differ" if port.lanes > 1 else ""
        rows = [("beat", f"{index}{several}")]
        rows += notes(lane) if notes else []
        for source in self.unit.inputs:
            if source.name in inputs:
                chosen = lane if source.lanes == port.lanes and not self._mixes_lanes() else None
                rows.append(("input", show(source, inputs[source.name], chosen, fmt)))
        rows.append(("expected", show(port, expected[port.name], lane, fmt)))
        rows.append(("got", show(port, got[port.name], lane, fmt)))
        place = f" lane {lane}" if port.lanes > 1 else ""
        return self.fault(f"{port.signal}{place} differs from the {self._judge()}", rows)

    def outputs(self, label: str, words: dict[str, int]) -> list[tuple[str, str]]:
        """Rows that show all output ports."""
        return [(label, show(port, words[port.name], None)) for port in self.unit.outputs]

    def _judge(self) -> str:
        return "golden set" if self.kind == "golden" else "law"

    def _mixes_lanes(self) -> bool:
        return self.unit.name == "hadamard"
