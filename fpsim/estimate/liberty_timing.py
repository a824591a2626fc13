"""Delays, slews and setup times of a cell out of its timing groups, in the file's own units.

A group without `timing_type` is combinational; `rising_edge` is what a flip-flop launches, `setup_rising`
what it asks of its data. Groups that differ only in their condition (`when`) are all kept: a longest path
takes the slowest. Arcs of clear and preset, hold times and falling clocks are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fpsim.estimate.liberty_table import Table
from fpsim.estimate.liberty_text import Group

RISE, FALL = 0, 1
_EDGES = (RISE, FALL)
_NAMES = ("rise", "fall")


@dataclass(frozen=True)
class DelayArc:
    """One edge of an output after one edge of an input.

    Attributes:
        source: the input pin; of a flip-flop its clock.
        source_edge, edge: RISE or FALL, of the input and of the output.
        delay, transition: tables over input slew and output load.
    """

    source: str
    source_edge: int
    edge: int
    delay: Table
    transition: Table


@dataclass(frozen=True)
class SetupArc:
    """How long before the clock a data pin's edge must have come; the table is over the slew of the data
    (its `slews`) and that of the clock (its `loads`)."""

    edge: int
    table: Table


@dataclass(frozen=True)
class CellTiming:
    """Arcs of a cell: `delays` by output pin, `setups` by data pin of a flip-flop."""

    delays: dict[str, tuple[DelayArc, ...]]
    setups: dict[str, tuple[SetupArc, ...]]


def cell_timing(cell: Group, table: Callable[[Group], Table]) -> CellTiming:
    """The arcs of a cell; `table` reads a table group."""
    delays: dict[str, tuple[DelayArc, ...]] = {}
    setups: dict[str, tuple[SetupArc, ...]] = {}
    for pin in cell.all("pin"):
        name = pin.args[0]
        for timing in pin.all("timing"):
            kind = timing.attributes.get("timing_type", "combinational")
            if kind in ("combinational", "rising_edge"):
                delays[name] = (*delays.get(name, ()), *_delays(timing, kind == "rising_edge", table))
            elif kind == "setup_rising":
                setups[name] = (*setups.get(name, ()), *_setups(timing, table))
    return CellTiming(delays, setups)


def _delays(timing: Group, launched: bool, table: Callable[[Group], Table]) -> list[DelayArc]:
    sense = timing.attributes.get("timing_sense", "non_unate")
    found = []
    for edge in _EDGES:
        delay = timing.all(f"cell_{_NAMES[edge]}")
        transition = timing.all(f"{_NAMES[edge]}_transition")
        if not delay or not transition:
            continue
        tables = table(delay[0]), table(transition[0])
        for source_edge in (RISE,) if launched else _source_edges(sense, edge):
            found += [
                DelayArc(source, source_edge, edge, *tables)
                for source in timing.attributes.get("related_pin", "").split()
            ]
    return found


def _source_edges(sense: str, edge: int) -> tuple[int, ...]:
    if sense == "positive_unate":
        return (edge,)
    return (1 - edge,) if sense == "negative_unate" else _EDGES


def _setups(timing: Group, table: Callable[[Group], Table]) -> list[SetupArc]:
    return [
        SetupArc(edge, table(group)) for edge in _EDGES for group in timing.all(f"{_NAMES[edge]}_constraint")
    ]
