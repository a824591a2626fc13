"""Characterized unit costs: the JSON that `characterize` writes, and what follows from it for any array."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate.band import Band

SCHEMA_VERSION = 1
AREA_KEYS = ("area_um2", "ge", "leakage_nw")
END_NAMES = ("low", "mid", "high")
DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class UnitArea:
    """What one kind of unit adds to the accelerator: area in um2, gate equivalents, leakage in nW."""

    area_um2: float
    ge: float
    leakage_nw: float


@dataclass(frozen=True, eq=False)
class UnitCosts:
    """The costs of one configuration's units on one library."""

    record: dict[str, Any]

    @property
    def library(self) -> str:
        """Short name of the library."""
        return str(self.record["library"]["name"])

    @property
    def node_nm(self) -> float:
        """Its node in nm."""
        return float(self.record["library"]["node_nm"])

    @property
    def unit_config(self) -> UnitConfig:
        """What the units are built with."""
        return ArrayConfig.from_dict({"unit": self.record["unit_config"]}).unit

    def check(self, config: ArrayConfig) -> None:
        """Raise ValueError unless these are the costs of this configuration's units."""
        if config.unit != self.unit_config:
            raise ValueError(
                f"units are characterized for {self.unit_config}, the configuration has {config.unit}"
            )

    def energy(self, unit: str, operation: str, data: str = "gaussian", fmt: str = "e2m1") -> Band:
        """Energy of one operation of a unit in pJ.

        Args:
            unit: key of the unit.
            operation: one of its operations.
            data: "gaussian", "uniform" or "file"; a unit that takes no codes has no "uniform" and gives
                "gaussian".
            fmt: operand format of the data; units that do not see it have one figure.

        Raises:
            ValueError: no such figure; the message lists those there are.
        """
        return Band.from_dict(self._ends(unit, operation, data, fmt))

    def array_energy(self, config: ArrayConfig, beats: int, tiles: int, data: str, fmt: str) -> Band:
        """Energy of the configuration's array in pJ for so many beats in so many tiles.

        The cost of a tile beside its beats (taking over, draining, the first sums) is for R + C cycles, so it
        is their number times a cost that grows with the array as the others do.
        """
        ends = []
        for end in END_NAMES:
            beat, drain = (
                self._at_size(
                    config,
                    {
                        name: self._ends(name, operation, data, fmt)[end] / (2 * size if per_cycle else 1)
                        for size, name in self._arrays()
                    },
                )
                for operation, per_cycle in (("beat", False), ("drain", True))
            )
            ends.append(beat * beats + drain * (config.rows + config.cols) * tiles)
        return Band(*ends)

    def _ends(self, unit: str, operation: str, data: str, fmt: str) -> dict[str, float]:
        known = self._operation(unit, operation)["energy_pj"]
        formats = {key.split("/")[1] for key in known}
        if len(formats) == 1:
            (fmt,) = formats  # the unit does not see the format
        for candidate in (data, *(["gaussian"] if data == "uniform" else [])):
            if f"{candidate}/{fmt}" in known:
                return dict(known[f"{candidate}/{fmt}"])
        raise ValueError(f"{unit}.{operation}: no figure for {data}/{fmt}; there are {', '.join(known)}")

    def areas(self, config: ArrayConfig) -> dict[str, UnitArea]:
        """Area of the accelerator by unit: array, one input path (`hadamard_n` lanes), one epilogue lane per
        column. SRAM, control and wiring are not in it."""
        self.check(config)
        arrays = {name: self._unit(name) for _, name in self._arrays()}
        of_array = {
            key: self._at_size(config, {name: float(unit[key]) for name, unit in arrays.items()})
            for key in AREA_KEYS
        }
        found = {"mac_array": UnitArea(**of_array)}
        for name in ("align", "hadamard", "amax", "row_scale", "quantizer"):
            found[name] = self.area(name)
        lanes = self._unit("epilogue")
        found["epilogue"] = UnitArea(**{key: lanes[key] * config.cols / lanes["lanes"] for key in AREA_KEYS})
        return found

    def area(self, unit: str) -> UnitArea:
        """Area of one unit as it was characterized, with all its lanes. ValueError for an unknown unit."""
        return UnitArea(**{key: self._unit(unit)[key] for key in AREA_KEYS})

    def lanes(self, unit: str) -> int:
        """Elements of one operation of a unit. ValueError for an unknown unit."""
        return int(self._unit(unit)["lanes"])

    def _arrays(self) -> list[tuple[int, str]]:
        """Size and key of the arrays that were measured, all square, small to large."""
        return sorted(
            (int(unit["parameters"]["Rows"]), name)
            for name, unit in self.record["units"].items()
            if name.startswith("mac_array_")
        )

    def _at_size(self, config: ArrayConfig, figures: dict[str, float]) -> float:
        """A cost of the array at any size, from the figures of the smallest and the largest measured one:
        a per processing element and b per row and column, a·R·C + b·(R + C)/2. The skew registers grow with
        R² and C² and are in a.

        Error at 16 x 16, from 4 x 4 and 8 x 8, against a 16 x 16 array synthesized and simulated as a whole
        (ASAP7, all formats, Gaussian data, elements without the output register of `overlap`): area -0.3 %,
        energy of a tile -0.5 % at K = 96 and at most +0.8 % at K = 1152."""
        (small, small_name), *_, (large, large_name) = self._arrays()
        per_small, per_large = figures[small_name] / small, figures[large_name] / large
        a = (per_large - per_small) / (large - small)
        b = per_small - a * small
        return a * config.rows * config.cols + b * (config.rows + config.cols) / 2

    def _unit(self, name: str) -> dict[str, Any]:
        units = self.record["units"]
        if name not in units:
            raise ValueError(f"unit={name!r}: expected one of {', '.join(units)}")
        return dict(units[name])

    def _operation(self, unit: str, operation: str) -> dict[str, Any]:
        operations = self._unit(unit)["operations"]
        if operation not in operations:
            raise ValueError(f"{unit}: operation={operation!r}: expected one of {', '.join(operations)}")
        return dict(operations[operation])


def load_units(path: Path) -> UnitCosts:
    """Read a file of unit costs. ValueError for another schema or a damaged file."""
    try:
        record = json.loads(path.read_text("utf-8"))
        version = record["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: no file of unit costs: {error}") from error
    if version != SCHEMA_VERSION:
        raise ValueError(f"{path}: schema version {version}, expected {SCHEMA_VERSION}; characterize anew")
    return UnitCosts(record)


def committed_units() -> list[Path]:
    """The files of unit costs that come with the package."""
    return sorted(DATA.glob("units_*.json"))


def find_units(library: str, unit: UnitConfig) -> UnitCosts:
    """Committed costs of a library for what the units are built with.

    Raises:
        ValueError: there are none; the message says what there is and what to type.
    """
    known = [load_units(path) for path in committed_units()]
    for costs in known:
        if costs.library == library and costs.unit_config == unit:
            return costs
    have = "; ".join(f"{c.library} {json.dumps(asdict(c.unit_config))}" for c in known)
    raise ValueError(
        f"no unit costs of library {library!r} for {unit}; there are: {have}. "
        "Measure them with: fpsim characterize --liberty FILE --out UNITS.json"
    )
