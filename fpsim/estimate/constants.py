"""Figures of others that the estimates use: `constants.yaml`, read whole and checked."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from fpsim.estimate.band import Band

PATH = Path(__file__).with_name("constants.yaml")
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Figure:
    """One figure: a band with its unit, node (nm), supply (V; None where it has none) and source."""

    name: str
    value: Band
    unit: str
    node_nm: float | None
    voltage_v: float | None
    source: str


@dataclass(frozen=True)
class LibraryFacts:
    """What a Liberty file does not say: short name, node (nm), corner, cells not to use, origin."""

    name: str
    pattern: str
    node_nm: float
    corner: str
    exclude: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Bank:
    """An SRAM bank: capacity in bytes and the cost of one access of `word_bits` (pJ)."""

    size_bytes: int
    word_bits: int
    access: Figure


@dataclass(frozen=True)
class Constants:
    """The whole file."""

    figures: dict[str, Figure]
    banks: tuple[Bank, ...]
    libraries: dict[str, LibraryFacts]

    def library(self, name: str) -> LibraryFacts:
        """Facts of the library of that name inside its file; ValueError for one that is not listed."""
        for facts in self.libraries.values():
            if re.search(facts.pattern, name):
                return facts
        known = ", ".join(self.libraries)
        raise ValueError(f"library {name!r}: not listed in constants.yaml (node, corner); known: {known}")

    def bank(self, size_bytes: float, node_nm: float) -> Bank:
        """The smallest bank that holds `size_bytes`, or the largest, at the node nearest in ratio."""
        node = min(
            {bank.access.node_nm for bank in self.banks if bank.access.node_nm},
            key=lambda candidate: abs(math.log(candidate / node_nm)),
        )
        banks = sorted(
            (b for b in self.banks if b.access.node_nm == node), key=lambda candidate: candidate.size_bytes
        )
        return next((b for b in banks if b.size_bytes >= size_bytes), banks[-1])


@cache
def load_constants(path: Path = PATH) -> Constants:
    """Read and check the file.

    Raises:
        ValueError: a missing or unknown field, an empty source, low > mid or mid > high.
    """
    data = yaml.safe_load(path.read_text("utf-8"))
    try:
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version={data['schema_version']!r}: expected {SCHEMA_VERSION}")
        figures = {name: _figure(name, fields) for name, fields in data["figures"].items()}
        libraries = {
            name: LibraryFacts(name=name, **{**fields, "exclude": tuple(fields["exclude"])})
            for name, fields in data["libraries"].items()
        }
        sram = data["sram"]
        banks = tuple(_bank(fields, sram["word_bits"], sram["source"]) for fields in sram["banks"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return Constants(figures, banks, libraries)


def _figure(name: str, fields: dict[str, Any]) -> Figure:
    expected = {"unit", "node_nm", "voltage_v", "low", "mid", "high", "source"}
    if set(fields) != expected:
        raise ValueError(f"{name}: fields {sorted(fields)}, expected {sorted(expected)}")
    if not fields["source"] or not fields["unit"]:
        raise ValueError(f"{name}: expected a unit and a source")
    value = Band(*(float(fields[end]) for end in ("low", "mid", "high")))
    return Figure(name, value, fields["unit"], fields["node_nm"], fields["voltage_v"], fields["source"])


def _bank(fields: dict[str, Any], word_bits: int, source: str) -> Bank:
    rest = {**fields, "source": source}
    size = rest.pop("size_bytes")
    return Bank(size, word_bits, _figure(f"sram_{size}_bytes_{fields['node_nm']}_nm", rest))
