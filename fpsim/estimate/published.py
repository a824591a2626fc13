"""Published energies per multiply-accumulate, to plot ours against: `published.yaml`, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

PATH = Path(__file__).with_name("published.yaml")
SCHEMA_VERSION = 1
FJ_PER_MAC_AT_1_TOPS_PER_W = 2000.0  # 1 TOPS/W is 1000 fJ per operation; a multiply-accumulate has two

Scope = Literal["element", "cluster", "chip"]


@dataclass(frozen=True)
class Published:
    """One published figure.

    Attributes:
        name: the design.
        formats: what it multiplies.
        node_nm, voltage_v: node and supply (None where the source does not say).
        scope: what the energy covers: the bare element, elements with local memory, or a chip.
        silicon: measured on silicon; else synthesized or modelled.
        fj_per_mac: energy per multiply-accumulate.
        source: where it comes from.
    """

    name: str
    formats: str
    node_nm: float
    voltage_v: float | None
    scope: Scope
    silicon: bool
    fj_per_mac: float
    source: str


@cache
def published(path: Path = PATH) -> tuple[Published, ...]:
    """All figures, in the file's order.

    Raises:
        ValueError: a missing or unknown field, no source, or not just one of tops_per_w and fj_per_mac.
    """
    data = yaml.safe_load(path.read_text("utf-8"))
    try:
        if data["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version={data['schema_version']!r}: expected {SCHEMA_VERSION}")
        return tuple(_read(dict(fields)) for fields in data["figures"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _read(fields: dict[str, Any]) -> Published:
    given = {name for name in ("tops_per_w", "fj_per_mac") if name in fields}
    if len(given) != 1:
        raise ValueError(f"{fields.get('name')}: expected one of tops_per_w and fj_per_mac")
    if "tops_per_w" in fields:
        fields["fj_per_mac"] = FJ_PER_MAC_AT_1_TOPS_PER_W / float(fields.pop("tops_per_w"))
    figure = Published(**fields)
    if figure.scope not in get_args(Scope):
        raise ValueError(f"{figure.name}: scope={figure.scope!r}: expected {', '.join(get_args(Scope))}")
    if not figure.source or figure.fj_per_mac <= 0:
        raise ValueError(f"{figure.name}: expected a source and an energy above 0")
    return figure
