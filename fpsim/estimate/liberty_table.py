"""A Liberty lookup table over input slew and output load, in the file's own units."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path

from fpsim.estimate.liberty_text import Group


@dataclass(frozen=True)
class Table:
    """Values over slew (rows) and load (columns); an axis of one point does not matter.

    A setup table has the slew of the data in `slews` and that of the clock in `loads`.

    Attributes:
        slews: ascending input transition times.
        loads: ascending output capacitances.
        values: one row per slew, one column per load.
    """

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def at(self, slew: float, load: float) -> float:
        """The value, bilinear between the points and along the outermost segments beyond them."""
        row, row_part = _segment(self.slews, slew)
        col, col_part = _segment(self.loads, load)
        low = self._along(row, col, col_part)
        if len(self.slews) == 1:
            return low
        return low + row_part * (self._along(row + 1, col, col_part) - low)

    def _along(self, row: int, col: int, part: float) -> float:
        values = self.values[row]
        if len(values) == 1:
            return values[0]
        return values[col] + part * (values[col + 1] - values[col])


def read_table(group: Group, templates: dict[str, Group], path: Path) -> Table:
    """A table group, with the axes of its template where it has none of its own.

    Raises:
        ValueError: an unknown template, an axis that is neither slew nor load, or a wrong count of values.
    """
    values = _numbers(group.attributes.get("values", ""))
    template = templates.get(group.args[0])
    if template is None:
        if len(values) != 1:
            raise ValueError(f"{path}: table {group.name}: unknown template {group.args[0]!r}")
        return Table((0.0,), (0.0,), ((values[0],),))
    axes: dict[str, tuple[float, ...]] = {"slew": (0.0,), "load": (0.0,)}
    order = []
    for number in ("1", "2"):
        variable = template.attributes.get(f"variable_{number}")
        if variable is not None:
            axis = _axis(variable, path)
            index = group.attributes.get(f"index_{number}") or template.attributes[f"index_{number}"]
            axes[axis] = _numbers(index)
            order.append(axis)
    slews, loads = axes["slew"], axes["load"]
    if len(values) != len(slews) * len(loads):
        raise ValueError(f"{path}: table {group.name}: {len(values)} values on {len(slews)} x {len(loads)}")
    if order[0] == "load":
        rows = tuple(tuple(values[s + i * len(slews)] for i in range(len(loads))) for s in range(len(slews)))
    else:
        rows = tuple(tuple(values[i * len(loads) : (i + 1) * len(loads)]) for i in range(len(slews)))
    return Table(slews, loads, rows)


def _axis(variable: str, path: Path) -> str:
    if variable in ("input_net_transition", "input_transition_time", "constrained_pin_transition"):
        return "slew"
    if variable in ("total_output_net_capacitance", "related_pin_transition"):
        return "load"
    raise ValueError(f"{path}: a table over {variable!r}; expected input slew and output load")


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(word) for word in text.replace('"', " ").replace(",", " ").split())


def _segment(axis: tuple[float, ...], value: float) -> tuple[int, float]:
    """Index of the segment's first point, and how far along it the value lies (beyond 0 ... 1 outside)."""
    if len(axis) == 1:
        return 0, 0.0
    index = min(max(bisect.bisect_right(axis, value) - 1, 0), len(axis) - 2)
    return index, (value - axis[index]) / (axis[index + 1] - axis[index])
