"""Liberty's syntax: groups `name (arguments) { ... }`, attributes `name : value;` and `name (values);`.

The file is cut into its cells first and a cell is read only when it is asked for: the merged ASAP7 library
has 46 MB of text, a netlist uses forty of its cells.
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CELL = re.compile(r'\bcell\s*\(\s*"?([^"()\s]+)"?\s*\)\s*\{')
_STATEMENT = re.compile(
    r"""[\s;]*(?:
        (?P<close>\})
        | (?P<name>[A-Za-z_]\w*)\s*
          (?: :\s*(?P<value>"[^"]*"|[^;\n}]*?)\s*(?=[;\n}])
            | \((?P<args>(?:"[^"]*"|[^()"])*)\)\s*(?P<open>\{)? ) )""",
    re.VERBOSE,
)


@dataclass
class Group:
    """One group: its arguments, attributes (the last of a name wins) and groups, in order."""

    name: str
    args: tuple[str, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def all(self, *names: str) -> list[Group]:
        """The groups of these names."""
        return [group for group in self.groups if group.name in names]

    def number(self, name: str) -> float | None:
        """A numeric attribute, None where it is absent."""
        text = self.attributes.get(name)
        return None if text is None else float(text)


@dataclass(frozen=True)
class LibertyText:
    """A library cut up: the group of its own attributes and templates, and the text of each cell."""

    path: Path
    header: Group
    cells: dict[str, str]

    def cell(self, name: str) -> Group:
        """Parse one cell."""
        if name not in self.cells:
            raise ValueError(f"{self.path}: no cell {name!r} in this library")
        return _parse(self.cells[name], self.path)


def read_liberty_text(path: Path) -> LibertyText:
    """Read a Liberty file, plain or gzip.

    Raises:
        ValueError: the file cannot be read, is no Liberty, or is cut short.
    """
    text = _COMMENT.sub(" ", read_text(path)).replace("\\\r\n", " ").replace("\\\n", " ")
    library = re.search(r"\blibrary\s*\(", text)
    if library is None:
        raise ValueError(f"{path}: no `library (...)` group; expected a Liberty file, plain or .gz")
    opened, closed = text.count("{"), text.count("}")
    if opened != closed:
        raise ValueError(f"{path}: {opened} groups opened, {closed} closed; the file is cut short or damaged")
    starts = list(_CELL.finditer(text))
    if not starts:
        raise ValueError(f"{path}: the library has no cells")
    ends = [match.start() for match in starts[1:]] + [len(text)]
    cells = {match[1]: text[match.start() : end] for match, end in zip(starts, ends, strict=True)}
    header = _parse(text[library.start() : starts[0].start()] + "}", path)
    return LibertyText(path, header, cells)


def read_text(path: Path) -> str:
    """The text of a file, plain or gzip; ValueError if it cannot be read."""
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: cannot read the Liberty file: {error}") from error


def _parse(text: str, path: Path) -> Group:
    """The first group of a text, up to its closing brace."""
    stack = [Group("")]
    position = 0
    while True:
        match = _STATEMENT.match(text, position)
        if match is None:
            raise ValueError(f"{path}: cannot read {text[position : position + 60].strip()!r} as Liberty")
        position = match.end()
        if match["close"]:
            group = stack.pop()
            if len(stack) == 1:
                return group
            continue
        if match["value"] is not None:
            stack[-1].attributes[match["name"]] = match["value"].strip('"')
        elif match["open"]:
            args = tuple(part.strip().strip('"') for part in match["args"].split(","))
            stack.append(Group(match["name"], args))
            stack[-2].groups.append(stack[-1])
        else:
            stack[-1].attributes[match["name"]] = match["args"].strip()
