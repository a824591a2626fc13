"""A sequence of clock cycles for one unit, and the file that keeps one so that it can be run again.

The file is JSON with one line per cycle, in the order of time. A line says what is done in its cycle:

    reset   the reset is low in this cycle, with the clock edge in it; what is on its way is dropped
    beat    stream: these words are offered as soon as every beat before them has been accepted
    alone   stream: the same, and every result before them must have left
    gap     stream: no beat is added; where none waits, the words are on the pins with in_valid_i low
    clock   clocked unit: these words are on the pins at the clock edge
    inputs  combinational unit: these words are on the pins

A unit starts out of reset. After the last line a stream is drained: out_ready_i is high, nothing is offered
but what still waits. `came` is what the pins showed in that cycle of the run that failed, in the order in
which they were seen; a replay does not read it. The digest covers all but itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from fpsim.array.config import ArrayConfig
from fpsim.verify.units import Unit, unit

SCHEMA = "fpsim sequence 1"
MOST_STEPS = 10_000
LINE_BY_LINE = ("cycles", "failure")
Act = Literal["reset", "beat", "alone", "gap", "clock", "inputs"]
ACTS: dict[str, tuple[Act, ...]] = {
    "stream": ("reset", "beat", "alone", "gap"),
    "clocked": ("reset", "clock"),
    "combinational": ("inputs",),
}


@dataclass(frozen=True)
class Step:
    """One clock cycle.

    Attributes:
        act: what is done, see above.
        words: one word for each input port, by field name.
        ready: stream: whether the output takes what is on offer.
    """

    act: Act
    words: dict[str, int]
    ready: bool = True


@dataclass(frozen=True)
class Sequence:
    """Cycles for one unit, and what came of them.

    Attributes:
        unit_name: the unit.
        config: what it is built with.
        seed: of the search that found it.
        steps: the cycles.
        came: for each step that was reached, the words on the pins, by signal.
        failure: the lines of the failure's message.
    """

    unit_name: str
    config: ArrayConfig
    seed: int
    steps: tuple[Step, ...]
    came: tuple[dict[str, int], ...] = ()
    failure: tuple[str, ...] = field(default=())

    @property
    def unit(self) -> Unit:
        """Ports and parameters."""
        return unit(self.unit_name, self.config)


def write_sequence(path: str | Path, sequence: Sequence) -> None:
    """Write a sequence, whole or not at all; the folder is made if it is missing.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_text(sequence))
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_sequence(path: str | Path) -> Sequence:
    """The sequence in a file that `write_sequence` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no sequence, was changed, or does not fit the unit's ports; says where.
    """
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    where = f"replay={str(path)!r}"
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{where}: no sequence: {error}") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise ValueError(f"{where}: no sequence; expected a file with schema {SCHEMA!r}")
    if data.get("digest") != _digest(data):
        raise ValueError(f"{where}: was changed after it was written (its digest is another)")
    try:
        return _parse(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{where}: {error}") from None


def _parse(data: dict[str, Any]) -> Sequence:
    config = ArrayConfig.from_dict(data["config"])
    bare = Sequence(str(data["unit"]), config, int(data["seed"]), ())
    chosen = bare.unit
    widths = {port.name: port.width for port in chosen.inputs}
    if data["inputs"] != widths:
        raise ValueError(f"inputs of {data['inputs']} bits; {chosen.top} has {widths}")
    lines = data["cycles"]
    if len(lines) > MOST_STEPS:
        raise ValueError(f"{len(lines)} cycles: expected at most {MOST_STEPS}")
    steps = tuple(_step(line, index, chosen, widths) for index, line in enumerate(lines))
    came = tuple(_numbers(line["came"]) for line in lines if "came" in line)
    return replace(bare, steps=steps, came=came, failure=tuple(map(str, data["failure"])))


def _numbers(words: dict[str, str]) -> dict[str, int]:
    return {name: int(word, 16) for name, word in words.items()}


def _step(line: dict[str, Any], index: int, chosen: Unit, widths: dict[str, int]) -> Step:
    acts = ACTS[chosen.style]
    if line["do"] not in acts:
        raise ValueError(f"cycle {index}: do={line['do']!r}: expected one of {', '.join(acts)}")
    words = _numbers(line["in"])
    if set(words) != set(widths):
        raise ValueError(f"cycle {index}: words for {sorted(words)}, expected {sorted(widths)}")
    for name, word in words.items():
        if not 0 <= word < 1 << widths[name]:
            raise ValueError(f"cycle {index}: {name}={word:#x}: expected {widths[name]} bits")
    return Step(line["do"], words, bool(line.get("out_ready", 1)))


def _text(sequence: Sequence) -> str:
    chosen = sequence.unit
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "unit": sequence.unit_name,
        "config": sequence.config.to_dict(),
        "seed": sequence.seed,
        "inputs": {port.name: port.width for port in chosen.inputs},
        "cycles": [_line(sequence, index) for index in range(len(sequence.steps))],
        "failure": list(sequence.failure),
    }
    data["digest"] = _digest(data)
    parts = [
        f'"{key}": {_block(value) if key in LINE_BY_LINE else json.dumps(value)}'
        for key, value in data.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _block(lines: list[Any]) -> str:
    """One JSON value a line."""
    return "[\n" + ",\n".join(f"  {json.dumps(line)}" for line in lines) + "\n]"


def _line(sequence: Sequence, index: int) -> dict[str, Any]:
    step = sequence.steps[index]
    line: dict[str, Any] = {"cycle": index, "do": step.act}
    if sequence.unit.style == "stream":
        line["out_ready"] = int(step.ready)
    line["in"] = {name: f"{word:#x}" for name, word in step.words.items()}
    if index < len(sequence.came):
        line["came"] = {signal: f"{word:#x}" for signal, word in sequence.came[index].items()}
    return line


def _digest(data: dict[str, Any]) -> str:
    kept = {key: value for key, value in data.items() if key != "digest"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
