"""Tables of the report as plain text cells, for HTML and terminal alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fpsim.report.data import Energy, GoldenSummary, ModelQuality, RtlCheck, UnitArea, WorkloadCost
from fpsim.report.findings import (
    array_utilization,
    ok,
    quantized,
    ranked,
    typical,
    vector_count,
    vector_kinds,
)
from fpsim.report.text import (
    NONE,
    column,
    decibels,
    energy_scale,
    fixed,
    integer,
    significant,
)


@dataclass(frozen=True)
class Column:
    """A column's heading; numeric ones are set to the right. Neighbours of one group share a heading."""

    title: str
    numeric: bool = True
    group: str = ""


@dataclass(frozen=True)
class Row:
    """Cells, the first of which names the row; kind is "", "total", "passed" or "failed"."""

    cells: list[str]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A caption that says what is to be seen, columns and rows."""

    caption: str
    columns: list[Column]
    rows: list[Row] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Group headings with the columns that each spans; empty if there is none."""
        spans: list[tuple[str, int]] = []
        for item in self.columns:
            if spans and spans[-1][0] == item.group:
                spans[-1] = (item.group, spans[-1][1] + 1)
            else:
                spans.append((item.group, 1))
        return spans if any(name for name, _ in spans) else []


def _columns(columns: list[list[str]], kind: str = "") -> list[Row]:
    return [Row(list(cells), kind) for cells in zip(*columns, strict=True)]


def _decibel_cell(value: float) -> str:
    return NONE if math.isnan(value) else decibels(value)


def quality_table(model: ModelQuality) -> Table:
    """Every arithmetic on one model, nearest to FP32 first."""
    rows = ranked(model)
    tell, rank = "tell arithmetics apart", "do not rank by these"
    epsilon = [row.epsilon_sqnr_db for row in rows]
    cells = [
        [row.name for row in rows],
        column([row.fd_fp32 for row in rows], 3),
        column([row.paired_mse for row in rows]),
        [_decibel_cell(typical(values)) for values in epsilon],
        [_decibel_cell(min(values.values(), default=math.nan)) for values in epsilon],
        column([row.fd_train for row in rows], 3),
        column([row.fd_train_pixels for row in rows], 3),
        [fixed(100 * row.accuracy, 1) for row in rows],
        column([row.seconds for row in rows], 3),
    ]
    columns = [
        Column("arithmetic", numeric=False),
        Column("FD to FP32 samples", group=tell),
        Column("paired MSE", group=tell),
        Column("ε SQNR, median (dB)", group=tell),
        Column("ε SQNR, worst step (dB)", group=tell),
        Column("FD to training set", group=rank),
        Column("the same, pixels", group=rank),
        Column("accuracy (%)", group=rank),
        Column("sampling (s)"),
    ]
    caption = (
        f"{model.name}: {integer(model.images)} images, {integer(model.steps)} steps, the same starting "
        f"noise for every row; sorted by the distance to the FP32 samples. FD is the Fréchet distance, "
        f"without unit; MSE is of pixels in [−1, 1]."
    )
    return Table(caption, columns, _columns(cells))


def recipe_titles(model: ModelQuality) -> list[tuple[str, str]]:
    """Name and title of every arithmetic of a model."""
    return [(row.name, row.title) for row in ranked(model)]


def _sqnr_table(caption: str, key: str, series: Mapping[str, Mapping[Any, float]]) -> Table:
    keys = list(dict.fromkeys(key for values in series.values() for key in values))
    rows = [
        Row([str(name), *(_decibel_cell(values.get(name, math.nan)) for values in series.values())])
        for name in keys
    ]
    return Table(caption, [Column(key, numeric=False), *(Column(f"{name} (dB)") for name in series)], rows)


def layer_sqnr_table(model: ModelQuality) -> Table:
    """SQNR of every layer's output, a column per recipe."""
    series = {row.name: row.layer_sqnr_db for row in quantized(model)}
    return _sqnr_table(f"{model.name}: SQNR of every layer's output.", "layer", series)


def epsilon_sqnr_table(model: ModelQuality) -> Table:
    """SQNR of the predicted noise at every timestep, in sampling order, a column per recipe."""
    series = {row.name: dict(sorted(row.epsilon_sqnr_db.items(), reverse=True)) for row in quantized(model)}
    return _sqnr_table(f"{model.name}: SQNR of the predicted noise at every timestep.", "timestep", series)


def rtl_table(checks: list[RtlCheck]) -> Table:
    """One row per unit, the total last."""
    kinds = vector_kinds(checks)
    rows = []
    for check in checks:
        counts = [integer(check.vectors.get(kind, 0)) for kind in kinds]
        passed = ok(check)
        note = check.message or ("" if vector_count(check) else "no vector was run")
        cells = [check.unit, "passed" if passed else "FAILED", *counts, integer(vector_count(check))]
        cells += [integer(check.cycles), fixed(check.seconds, 1), note]
        rows.append(Row(cells, "passed" if passed else "failed"))
    failures = sum(not ok(check) for check in checks)
    totals = [integer(sum(check.vectors.get(kind, 0) for check in checks)) for kind in kinds]
    total = ["all units", f"{failures} FAILED" if failures else "passed", *totals]
    total += [integer(sum(vector_count(check) for check in checks))]
    total += [integer(sum(check.cycles for check in checks)), fixed(sum(c.seconds for c in checks), 1), ""]
    columns = [Column("unit", numeric=False), Column("verdict", numeric=False)]
    columns += [Column(kind, group="vectors") for kind in kinds] + [Column("all", group="vectors")]
    columns += [Column("simulated cycles"), Column("wall clock (s)"), Column("note", numeric=False)]
    if all(not row.cells[-1] for row in rows):
        columns, rows, total = columns[:-1], [Row(r.cells[:-1], r.kind) for r in rows], total[:-1]
    caption = "The SystemVerilog of every unit in the simulator, its outputs compared bit by bit."
    return Table(caption, columns, [*rows, Row(total, "total")])


def golden_table(sets: list[GoldenSummary]) -> Table:
    """One row per golden set."""
    rows = [
        Row([s.unit, integer(s.tiles), ", ".join(f"{k} {integer(n)}" for k, n in s.words.items()), s.path])
        for s in sets
    ]
    columns = [
        Column("unit", numeric=False),
        Column("tiles"),
        Column("words per field", numeric=False),
        Column("folder", numeric=False),
    ]
    return Table("Stimulus and expected output of real layer tiles, as $readmemh words.", columns, rows)


def area_table(areas: list[UnitArea]) -> Table:
    """One row per kind of unit, largest first, the total last."""
    area, nand2 = sum(unit.area_um2 for unit in areas), sum(unit.nand2 for unit in areas)
    rows = [
        Row([u.unit, integer(u.count), fixed(u.area_um2, 1), fixed(u.nand2, 0), _share(u.area_um2, area)])
        for u in sorted(areas, key=lambda unit: -unit.area_um2)
    ]
    rows.append(Row(["accelerator", "", fixed(area, 1), fixed(nand2, 0), _share(area, area)], "total"))
    titles = ("instances", "area (µm²)", "area (NAND2)", "share (%)")
    columns = [Column("unit", numeric=False), *(Column(title) for title in titles)]
    return Table("Cell area of all instances of a kind, largest first.", columns, rows)


def _share(part: float, whole: float) -> str:
    return fixed(100 * part / whole, 1) if whole else NONE


def add_energy(parts: list[Energy]) -> Energy:
    """The sum, the bands added: parts off in the same direction."""
    return Energy(sum(p.low for p in parts), sum(p.mid for p in parts), sum(p.high for p in parts))


def workload_table(workload: WorkloadCost, config: dict[str, Any]) -> Table:
    """One row per layer, the whole workload last."""
    energies = [add_energy(list(layer.energy_pj.values())) for layer in workload.layers]
    unit = energy_scale(max((e.mid for e in energies), default=workload.total_energy_pj.mid))
    everything = [*energies, workload.total_energy_pj]
    bands = [column([getattr(e, band) / unit.factor for e in everything]) for band in ("low", "mid", "high")]
    busy = array_utilization(workload.total_macs, workload.total_cycles, config)
    cells = [
        [*(layer.layer for layer in workload.layers), "whole workload"],
        [*(integer(layer.macs) for layer in workload.layers), integer(workload.total_macs)],
        [*(integer(layer.cycles) for layer in workload.layers), integer(workload.total_cycles)],
        [
            *(fixed(100 * layer.utilization, 1) for layer in workload.layers),
            NONE if busy is None else fixed(100 * busy, 1),
        ],
        *bands,
    ]
    rows = _columns(cells)
    rows[-1] = Row(rows[-1].cells, "total")
    titles = ("MACs", "cycles", "utilization (%)")
    columns = [Column("layer", numeric=False), *(Column(title) for title in titles)]
    columns += [Column(f"{band} ({unit.unit})", group="energy") for band in ("low", "mid", "high")]
    caption = (
        f"{workload.name}: a layer's row is one forward pass of one image; the whole workload may count a "
        f"layer more than once."
    )
    return Table(caption, columns, rows)


def component_table(workload: WorkloadCost) -> Table:
    """Energy by component, summed over the layers listed, largest first."""
    names = dict.fromkeys(name for layer in workload.layers for name in layer.energy_pj)
    sums = {
        name: add_energy([layer.energy_pj[name] for layer in workload.layers if name in layer.energy_pj])
        for name in names
    }
    unit = energy_scale(max((energy.mid for energy in sums.values()), default=0))
    whole = sum(energy.mid for energy in sums.values())
    largest = sorted(sums.items(), key=lambda item: -item[1].mid)
    bands = [column([getattr(e, band) / unit.factor for _, e in largest]) for band in ("low", "mid", "high")]
    cells = [[name for name, _ in largest], *bands, [_share(e.mid, whole) for _, e in largest]]
    columns = [Column("component", numeric=False)]
    columns += [Column(f"{band} ({unit.unit})", group="energy") for band in ("low", "mid", "high")]
    columns.append(Column("share of mid (%)"))
    caption = f"{workload.name}: energy by component, one pass of every layer listed."
    return Table(caption, columns, _columns(cells))


def mapping_table(caption: str, key: str, value: str, data: Mapping[str, Any], unit: str = "") -> Table:
    """Names and values; nested mappings as dotted names."""
    rows = [Row([name, _plain_cell(item)]) for name, item in _flat(data).items()]
    numeric = bool(data) and all(isinstance(item, int | float) for item in data.values())
    heading = f"{value} ({unit})" if unit else value
    return Table(caption, [Column(key, numeric=False), Column(heading, numeric=numeric)], rows)


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _plain_cell(value: object) -> str:
    if isinstance(value, float):
        return significant(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
