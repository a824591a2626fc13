"""Energy of a processing element from what its data do: a table over (code, next code) of each operand.

    energy of a cycle = c + A[a, a'] + B[b, b'] + sum over product, carries, accumulator, output register and
                        operation of their transitions times a coefficient each

Tables (16 x 16, one per operand and format) and coefficients are fitted by least squares to replays on the
synthesized element, one set for each end of the band (`fpsim.estimate.activity_replay`). They are for the
multiplier with every format built in and an exact accumulator that wraps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.estimate.activity import LayerActivity
from fpsim.estimate.costs import DATA
from fpsim.kernels.toggles_element import NAMES, ElementTrace

SCHEMA_VERSION = 1
ENDS = ("low", "mid", "high")
CELLS = 256
TERMS = ("cycle", *NAMES)

Floats = NDArray[np.float64]
PartFactors = dict[str, tuple[float, float, float]]


@dataclass(frozen=True, eq=False)
class ElementTable:
    """The fitted tables.

    Attributes:
        a_fj, b_fj: format to float64 (3, 16, 16), fJ, by end, code and next code.
        terms_fj: float64 (3, 6), fJ of a cycle and of a transition, by `TERMS`.
    """

    a_fj: Mapping[str, Floats]
    b_fj: Mapping[str, Floats]
    terms_fj: Floats

    def trace_fj(self, trace: ElementTrace, a_fmt: str, b_fmt: str) -> Floats:
        """(T, 3) energy of each cycle of a trace."""
        steps = self.a_fj[a_fmt][:, trace.a_from, trace.a_to] + self.b_fj[b_fmt][:, trace.b_from, trace.b_to]
        cycles = self.terms_fj[:, :1] + self.terms_fj[:, 1:] @ trace.counts.T
        energy: Floats = (steps + cycles).T
        return energy

    def layer_fj(self, activity: LayerActivity) -> Floats:
        """(3,) energy of all elements over a layer, low, mid and high."""
        counts = {**activity.toggles, "acc": 2 * activity.toggles["acc"], "op": activity.op_toggles}
        terms = np.array([activity.elements * activity.cycles, *(counts[name] for name in NAMES)], np.float64)
        tables = (
            (self.a_fj[activity.act_fmt], activity.a_steps),
            (
                self.b_fj[activity.weight_fmt],
                activity.b_steps,
            ),
        )
        energy: Floats = self.terms_fj @ terms
        for table, steps in tables:
            energy = energy + (table * steps).sum(axis=(1, 2))
        return energy

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `from_dict` reads it back."""
        return {
            "terms": list(TERMS),
            "terms_fj": _rounded(self.terms_fj),
            "a_fj": {fmt: _rounded(table) for fmt, table in self.a_fj.items()},
            "b_fj": {fmt: _rounded(table) for fmt, table in self.b_fj.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ElementTable:
        """The table that `to_dict` wrote. ValueError unless its shapes are right."""
        sides = [
            {fmt: np.array(table, np.float64) for fmt, table in data[k].items()} for k in ("a_fj", "b_fj")
        ]
        terms = np.array(data["terms_fj"], np.float64)
        shapes = {table.shape for side in sides for table in side.values()}
        if shapes != {(3, 16, 16)} or terms.shape != (3, len(TERMS)) or tuple(data["terms"]) != TERMS:
            raise ValueError(f"tables of {shapes}, terms of {terms.shape}: expected (3, 16, 16) and (3, 6)")
        return cls(sides[0], sides[1], terms)


@dataclass(frozen=True, eq=False)
class ActivityCosts:
    """The committed energies of real data on one library.

    Attributes:
        table: of the processing element.
        record: the whole file.
    """

    table: ElementTable
    record: dict[str, Any]

    def check(self, unit: UnitConfig) -> None:
        """Raise ValueError unless these are the costs of such a unit."""
        own = ArrayConfig.from_dict({"unit": self.record["unit_config"]}).unit
        if unit != own:
            raise ValueError(f"activity is costed for {own}, the configuration has {unit}")

    def gaussian_fj(self, fmt: str) -> Floats:
        """(3,) energy of an element's cycle on Gaussian data, what unit costs are taken with."""
        return np.array(self.record["gaussian_fj"][fmt], np.float64)

    def element_fj(self, activity: LayerActivity) -> Floats:
        """(3,) mean energy of an element's cycle on a layer's data."""
        return self.table.layer_fj(activity) / (activity.elements * activity.cycles)

    def factors(self, activity: LayerActivity, fmt: str = "e2m1") -> PartFactors:
        """What a layer's data make of the energy that Gaussian data of a format have, part by part.

        "array": the element's energy, by its table; decoders, delay lines and drain are taken to follow it.
        "hadamard": by a straight line in the rate of the engine's registers, where the engine does the
        rotation. The other parts stay as they are.

        Args:
            activity: of the layer.
            fmt: what the unit costs that are multiplied were measured with.
        """
        rate = activity.rate("butterfly") if "butterfly" in activity.toggles else None
        return self.part_factors(self.element_fj(activity), rate, rotated=activity.rotated, fmt=fmt)

    def part_factors(
        self, element_fj: Floats, engine_rate: float | None, *, rotated: bool, fmt: str
    ) -> PartFactors:
        """As `factors`, from (3,) fJ of an element's cycle and the rate of the engine's registers (None: the
        engine does not do the rotation)."""
        found = {"array": _ends(element_fj / self.gaussian_fj(fmt))}
        if engine_rate is not None:
            lines = self.record["hadamard"]
            line = np.array(lines["rotates" if rotated else "passes"]["line_pj"], np.float64)
            per_beat = line[:, 0] + line[:, 1] * engine_rate
            found["hadamard"] = _ends(per_beat / np.array(lines["gaussian_pj"], np.float64))
        return found


def load_activity_costs(library: str = "asap7") -> ActivityCosts:
    """The committed energies of a library.

    Raises:
        ValueError: there are none, or the file is damaged.
    """
    path = DATA / f"activity_{library}.json"
    known = ", ".join(sorted(p.stem.removeprefix("activity_") for p in DATA.glob("activity_*.json")))
    if not path.exists():
        raise ValueError(
            f"library={library!r}: expected one of {known or 'none yet'}; measure it with: "
            "python -m fpsim.estimate.measure_activity LIBERTY"
        )
    return read_activity_costs(path)


def read_activity_costs(path: Path) -> ActivityCosts:
    """Read a file that `measure_activity` wrote. ValueError for another schema or a damaged file."""
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {record['schema_version']}, expected {SCHEMA_VERSION}")
        return ActivityCosts(ElementTable.from_dict(record["table"]), record)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: no file of activity costs: {error}") from error


def fit_table(
    traces: list[tuple[ElementTrace, str, str]], energies: list[Floats], ridge: float = 1e-3
) -> ElementTable:
    """Least squares over all cycles of all traces.

    Formats have tables of their own, the terms are shared. A constant may move between tables and terms: a
    small ridge on the tables decides.

    Args:
        traces: with the formats of both operands.
        energies: (T, 3) fJ of each cycle.
        ridge: weight of the tables' own squares, per mean number of cycles in a cell.
    """
    columns = 2 * len(OPERAND_FORMATS) * CELLS
    size = columns + len(TERMS)
    gram, right = np.zeros((size, size)), np.zeros((size, len(ENDS)))
    total = 0
    for (trace, a_fmt, b_fmt), energy in zip(traces, energies, strict=True):
        cycles = len(trace.counts)
        a_at, b_at = OPERAND_FORMATS.index(a_fmt), len(OPERAND_FORMATS) + OPERAND_FORMATS.index(b_fmt)
        cells = [
            at * CELLS + before * 16 + after
            for at, before, after in ((a_at, trace.a_from, trace.a_to), (b_at, trace.b_from, trace.b_to))
        ]
        terms = np.tile(np.arange(columns, size), (cycles, 1))
        values = np.concatenate(
            [np.ones((cycles, 3)), trace.counts], axis=1
        )  # two cells and the cycle itself
        places = np.concatenate([np.stack(cells, axis=1), terms], axis=1)
        starts = np.arange(cycles + 1) * places.shape[1]
        design = csr_array((values.ravel(), places.ravel(), starts), shape=(cycles, size))
        gram += (design.T @ design).toarray()
        right += design.T @ energy
        total += cycles
    penalty = np.full(size, ridge * total / columns)
    penalty[columns:] *= 1e-6
    found: Floats = np.linalg.solve(gram + np.diag(penalty), right).T.astype(np.float64)
    tables = found[:, :columns].reshape(len(ENDS), 2, len(OPERAND_FORMATS), 16, 16)
    sides: list[dict[str, Floats]] = [
        {fmt: tables[:, s, i].copy() for i, fmt in enumerate(OPERAND_FORMATS)} for s in range(2)
    ]
    return ElementTable(sides[0], sides[1], found[:, columns:].astype(np.float64))


def _ends(values: Floats) -> tuple[float, float, float]:
    low, mid, high = (float(value) for value in values)
    return low, mid, high


def _rounded(values: Floats) -> Any:
    """Nested lists, to a thousandth of a fJ."""
    return np.round(values, 3).tolist()
