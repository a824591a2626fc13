"""Timing diagrams as small SVG files: clock, handshakes and words of each cycle, stalls shaded.

A diagram shows what the registers see: the value of every signal at the rising clock edge that ends a cycle.
The drawn data lies in the file too, as JSON, so that it can be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape, unescape
from pathlib import Path
from typing import Literal

CYCLE, ROW, HIGH = 34, 24, 14  # pixels: width of a cycle, height of a row, height of a 1
LABEL_WIDTH, TOP, CHARACTER = 118, 46, 6
LEGEND_WIDTH = 280
MOST_CHARACTERS = 5  # of a word in a cycle
RowKind = Literal["clock", "bit", "word"]
_STYLE = (
    "text{font:11px sans-serif;fill:#222}.s{font-size:10px;fill:#666}"
    ".w{font:10px monospace;text-anchor:middle}.g{stroke:#ddd;stroke-width:.6}"
    ".l{fill:none;stroke:#1f4e79;stroke-width:1.3}.f{fill:#eaf1f8;stroke:#1f4e79}"
    ".n{fill:#eee}.t{fill:#c0392b;fill-opacity:.16}.d{fill:#2e7d32}"
)


@dataclass(frozen=True)
class Row:
    """One signal.

    Attributes:
        signal: its name; empty: some space between two groups.
        kind: how it is drawn.
        values: one for each cycle; None: X, or a word that does not count, as nothing is on offer.
    """

    signal: str
    kind: RowKind = "bit"
    values: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Handshake:
    """A valid and its ready: cycles with both move a word, cycles with valid alone are stalls.

    Attributes:
        valid, ready: names of two rows.
        rows: names of all rows that belong to it; stalls are shaded there.
    """

    valid: str
    ready: str
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Diagram:
    """A diagram's data.

    Attributes:
        title: one line.
        rows: from top to bottom.
        handshakes: what is shaded and dotted.
        first: number of the first cycle.
    """

    title: str
    rows: tuple[Row, ...]
    handshakes: tuple[Handshake, ...]
    first: int = 0

    @property
    def cycles(self) -> int:
        """Cycles shown."""
        return max(len(row.values) for row in self.rows)

    def row(self, signal: str) -> Row:
        """The row of a signal."""
        return next(row for row in self.rows if row.signal == signal)


def svg(diagram: Diagram) -> str:
    """The diagram as SVG."""
    width = LABEL_WIDTH + max(diagram.cycles * CYCLE + 12, LEGEND_WIDTH)
    height = TOP + len(diagram.rows) * ROW + 24
    data = escape(json.dumps(asdict(diagram), separators=(",", ":")), quote=False)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img">',
        f"<title>{escape(diagram.title)}</title><metadata>{data}</metadata><style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="6" y="17" font-weight="bold">{escape(diagram.title)}</text>',
        *_grid(diagram),
        *_shades(diagram),
    ]
    for index, row in enumerate(diagram.rows):
        parts += _row(row, TOP + index * ROW, diagram.cycles)
    parts += [*_dots(diagram), _legend(height), "</svg>"]
    return "\n".join(parts) + "\n"


def read_diagram(path: str | Path) -> Diagram:
    """The data of a diagram's file.

    Raises:
        ValueError: the file holds none.
    """
    found = re.search("<metadata>(.*?)</metadata>", Path(path).read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise ValueError(f"{str(path)!r}: no timing diagram")
    data = json.loads(unescape(found[1]))
    rows = tuple(Row(row["signal"], row["kind"], tuple(row["values"])) for row in data["rows"])
    shakes = tuple(Handshake(h["valid"], h["ready"], tuple(h["rows"])) for h in data["handshakes"])
    return Diagram(data["title"], rows, shakes, data["first"])


def _left(cycle: int) -> int:
    return LABEL_WIDTH + cycle * CYCLE


def _grid(diagram: Diagram) -> Iterator[str]:
    bottom = TOP + len(diagram.rows) * ROW
    lines = "".join(f"M{_left(i)} {TOP - 4}V{bottom}" for i in range(diagram.cycles + 1))
    yield f'<path class="g" d="{lines}"/>'
    for i in range(diagram.cycles):
        yield f'<text class="s w" x="{_left(i) + CYCLE // 2}" y="{TOP - 8}">{diagram.first + i}</text>'


def _places(diagram: Diagram, handshake: Handshake) -> list[int]:
    return [i for i, row in enumerate(diagram.rows) if row.signal in handshake.rows]


def _shades(diagram: Diagram) -> Iterator[str]:
    """Cycles in which something is on offer and not taken."""
    for handshake in diagram.handshakes:
        valid, ready = diagram.row(handshake.valid).values, diagram.row(handshake.ready).values
        places = _places(diagram, handshake)
        top, tall = TOP + places[0] * ROW, (places[-1] - places[0] + 1) * ROW
        for cycle, pair in enumerate(zip(valid, ready, strict=True)):
            if pair == (1, 0):
                yield f'<rect class="t" x="{_left(cycle)}" y="{top}" width="{CYCLE}" height="{tall}"/>'


def _dots(diagram: Diagram) -> Iterator[str]:
    """Cycles in which a word moves: a dot on the edge that ends them."""
    for handshake in diagram.handshakes:
        valid, ready = diagram.row(handshake.valid).values, diagram.row(handshake.ready).values
        y = TOP + _places(diagram, handshake)[0] * ROW + ROW - HIGH // 2 - 3
        for cycle, pair in enumerate(zip(valid, ready, strict=True)):
            if pair == (1, 1):
                yield f'<circle class="d" cx="{_left(cycle + 1)}" cy="{y}" r="3"/>'


def _legend(height: int) -> str:
    y = height - 8
    return (
        f'<circle class="d" cx="{LABEL_WIDTH + 4}" cy="{y - 4}" r="3"/>'
        f'<text class="s" x="{LABEL_WIDTH + 12}" y="{y}">a word moves at this edge</text>'
        f'<rect class="t" x="{LABEL_WIDTH + 150}" y="{y - 9}" width="12" height="10"/>'
        f'<text class="s" x="{LABEL_WIDTH + 168}" y="{y}">offered, not taken</text>'
    )


def _row(row: Row, top: int, cycles: int) -> Iterator[str]:
    if not row.signal:
        return
    base = top + ROW - 3
    yield f'<text x="6" y="{base - 3}">{escape(row.signal)}</text>'
    if row.kind == "clock":
        half = CYCLE // 2
        pulses = "".join(f"v{-HIGH}h{half}v{HIGH}h{CYCLE - half}" for _ in range(cycles))
        yield f'<path class="l" d="M{_left(0)} {base}{pulses}"/>'
    elif row.kind == "bit":
        yield f'<path class="l" d="{_levels(row, base)}"/>'
    else:
        yield from _words(row, base)


def _levels(row: Row, base: int) -> str:
    """A line that runs high and low; a gap where the value is X."""
    path, before = "", None
    for cycle, value in enumerate(row.values):
        if value is not None:
            y = base - HIGH * value
            path += f"M{_left(cycle)} {y}" if before is None else (f"V{y}" if value != before else "")
            path += f"H{_left(cycle + 1)}"
        before = value
    return path


def _words(row: Row, base: int) -> Iterator[str]:
    """One box for each run of equal words; grey where no word counts."""
    start = 0
    values = row.values
    for cycle in range(1, len(values) + 1):
        if cycle < len(values) and values[cycle] == values[start]:
            continue
        x, wide, value = _left(start), (cycle - start) * CYCLE, values[start]
        y = base - HIGH
        if value is None:
            yield f'<rect class="n" x="{x}" y="{y}" width="{wide}" height="{HIGH}"/>'
        else:
            most = MOST_CHARACTERS * (cycle - start)
            text = f"{value:x}"
            text = text if len(text) <= most else f"…{text[-most + 1 :]}"
            yield f'<rect class="f" x="{x}" y="{y}" width="{wide}" height="{HIGH}"/>'
            yield f'<text class="w" x="{x + wide // 2}" y="{base - 3}">{text}</text>'
        start = cycle
