"""Internal energy of a pin's transitions, out of its internal_power groups, in the file's own units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from fpsim.estimate.liberty_table import Table
from fpsim.estimate.liberty_text import Group


@dataclass(frozen=True)
class Arc:
    """One internal_power group.

    Attributes:
        related_pin: the input whose transition causes it ("" for an input pin's own tables).
        when: the condition on the other pins ("" for none).
        tables: the rise and the fall table; one where the file has one.
    """

    related_pin: str
    when: str
    tables: tuple[Table, ...]

    def at(self, slew: float, load: float) -> float:
        """Mean of rise and fall."""
        return fmean(table.at(slew, load) for table in self.tables)


def power_arcs(pin: Group, table: Callable[[Group], Table]) -> tuple[Arc, ...]:
    """The arcs of a pin; `table` reads a table group."""
    arcs = []
    for group in pin.all("internal_power"):
        tables = tuple(table(part) for part in group.all("rise_power", "fall_power", "power"))
        if tables:
            text = group.attributes
            arcs.append(Arc(text.get("related_pin", ""), text.get("when", ""), tables))
    return tuple(arcs)


def average_energy(arcs: tuple[Arc, ...], slew: float, load: float) -> float:
    """Energy of one transition: supply pins added, conditions averaged, then related pins averaged."""
    sums: dict[str, dict[str, float]] = {}
    for arc in arcs:
        conditions = sums.setdefault(arc.related_pin, {})
        conditions[arc.when] = conditions.get(arc.when, 0.0) + arc.at(slew, load)
    return fmean(fmean(conditions.values()) for conditions in sums.values()) if sums else 0.0
