"""What the table of methods found out, as plain data, and how it is laid out."""

from __future__ import annotations

import csv
import io
import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fpsim.report.data import Energy
from fpsim.report.tables import Column, Row, Table
from fpsim.report.text import NONE, fixed, integer, significant

# What fits in 80 columns of a terminal; the files have the rest.
TERMINAL_COLUMNS = (
    "recipe", "FD to FP32", "± sd", "fake quant.", "accuracy (%)", "W bits", "A bits", "passes", "µJ",
)  # fmt: skip


@dataclass(frozen=True)
class SeedQuality:
    """Samples from the starting noise of one seed. Distances are Frechet distances of classifier features.

    Attributes:
        seed: of the noise.
        fd_fp32: distance to the FP32 samples of the same noise, executed bit by bit.
        fd_train: distance to the training set.
        accuracy: share of images that the classifier gives their label, 0 to 1.
        paired_mse: mean squared pixel difference to the FP32 samples.
        fake_fd_fp32, fake_accuracy, fake_paired_mse: the same of the float imitation (fake quantization).
        seconds: sampling time on the machine's model.
    """

    seed: int
    fd_fp32: float
    fd_train: float
    accuracy: float
    paired_mse: float
    fake_fd_fp32: float
    fake_accuracy: float
    fake_paired_mse: float
    seconds: float


@dataclass(frozen=True)
class LayerWork:
    """What one layer does in one sampling step of one image.

    Attributes:
        name: of the block linear.
        rows, n, k: it multiplies (rows, k) with (k, n).
        kind: class of its program, "FP32" for a layer that stays on the host.
        activation_bits, weight_bits: widths of the operands' codes.
        passes: over the 4-bit array; None: it runs elsewhere.
        activation_fmt, weight_fmt: operand formats of a program of the array; None otherwise.
        static: whether its activation scale is static.
        rotated: whether its rows pass the Hadamard engine.
        zero_points: whether activations or weights have them, so that sums are corrected.
        group: elements along K under one scale of their own; None: a row has one.
    """

    name: str
    rows: int
    n: int
    k: int
    kind: str
    activation_bits: int
    weight_bits: int
    passes: int | None
    activation_fmt: str | None
    weight_fmt: str | None
    static: bool
    rotated: bool
    zero_points: bool
    group: int | None


@dataclass(frozen=True)
class StepsWork:
    """Sampling steps that do the same: how many, and what every layer does in one."""

    steps: int
    layers: list[LayerWork]


@dataclass(frozen=True)
class Schedule:
    """What a recipe asks of the machine per image, for whoever costs it.

    Attributes:
        phases: ranges of timesteps that have parameters of their own.
        work: its steps, equal ones together.
    """

    phases: int
    work: list[StepsWork]


@dataclass(frozen=True)
class Price:
    """What a recipe costs, per image: all sampling steps, no guidance. The block linears alone.

    Attributes:
        weight_bits_parameter, activation_bits_parameter: mean width, each weight counted once per step; a
            layer that stays on the host counts as 32 bits.
        weight_bits_mac, activation_bits_mac: the same, weighted by multiply-accumulates.
        passes: mean passes over the multipliers per multiply-accumulate, 1 where a unit other than the 4-bit
            array takes a product in one go; None: some layer runs on the host.
        cycles: of the array, or of as many multipliers of another kind; None likewise.
        energy_pj: of everything that the estimate costs; None likewise.
        phases: ranges of timesteps that have parameters of their own.
        note: what multiplied if not the 4-bit array, or why something is None.
    """

    weight_bits_parameter: float
    activation_bits_parameter: float
    weight_bits_mac: float
    activation_bits_mac: float
    passes: float | None
    cycles: int | None
    energy_pj: Energy | None
    phases: int
    note: str = ""


@dataclass(frozen=True)
class MethodRow:
    """One recipe on one model.

    Attributes:
        model, recipe, title: names, and one line for people.
        seeds: quality from each seed's noise.
        epsilon_sqnr_db: timestep to SQNR of the predicted noise in dB, teacher-forced; empty for FP32.
        schedule: what is priced; None for FP32.
        price: None for FP32, and before it is known.
        quantize_seconds: calibration left out.
    """

    model: str
    recipe: str
    title: str
    seeds: list[SeedQuality]
    epsilon_sqnr_db: dict[int, float]
    schedule: Schedule | None
    price: Price | None
    quantize_seconds: float

    def mean(self, name: str) -> float:
        """Mean over seeds of a field of `SeedQuality`."""
        return statistics.fmean(getattr(seed, name) for seed in self.seeds)

    def spread(self, name: str) -> float:
        """Sample standard deviation over seeds; 0 for a single one."""
        values = [getattr(seed, name) for seed in self.seeds]
        return statistics.stdev(values) if len(values) > 1 else 0.0


@dataclass(frozen=True)
class MethodsTable:
    """All recipes on one model.

    Attributes:
        model: its name.
        images, steps: per seed.
        library: characterized cell library of the prices.
        floor: distances between the FP32 samples of two seeds, every pair: what sampling noise alone makes.
        rows: FP32 first, then as asked for.
    """

    model: str
    images: int
    steps: int
    library: str
    floor: list[float]
    rows: list[MethodRow]


def row_from_dict(data: dict[str, Any]) -> MethodRow:
    """The row that `asdict` took apart, after a trip through JSON."""
    price, schedule = data["price"], data["schedule"]
    if price is not None:
        energy = price["energy_pj"]
        price = Price(**{**price, "energy_pj": None if energy is None else Energy(**energy)})
    if schedule is not None:
        work = [StepsWork(w["steps"], [LayerWork(**x) for x in w["layers"]]) for w in schedule["work"]]
        schedule = Schedule(schedule["phases"], work)
    return MethodRow(
        **{
            **data,
            "seeds": [SeedQuality(**seed) for seed in data["seeds"]],
            "epsilon_sqnr_db": {int(t): float(db) for t, db in data["epsilon_sqnr_db"].items()},
            "schedule": schedule,
            "price": price,
        }
    )


def tables_from_json(path: Path) -> list[MethodsTable]:
    """The tables that `fpsim methods` wrote as JSON.

    Raises:
        OSError, ValueError, KeyError, TypeError: the file cannot be read, or is something else.
    """
    tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
    return [MethodsTable(**{**t, "rows": [row_from_dict(row) for row in t["rows"]]}) for t in tables]


def methods_table(methods: MethodsTable) -> Table:
    """One line a recipe; distances with their standard deviation over seeds."""
    floor = f"{min(methods.floor):.3f} to {max(methods.floor):.3f}" if methods.floor else "one seed"
    return Table(
        f"{methods.model}: {methods.images} images a seed, {methods.steps} steps, executed bit by bit. "
        f"FD to FP32: same noise, 0 where all bits agree. FP32 of one seed against another: {floor}. "
        f"Energy: mid estimate on {methods.library}.",
        [
            Column("recipe", numeric=False),
            Column("FD to FP32", group="quality"),
            Column("± sd", group="quality"),
            Column("fake quant.", group="quality"),
            Column("FD to train", group="quality"),
            Column("accuracy (%)", group="quality"),
            Column("paired MSE", group="quality"),
            Column("ε SQNR (dB)", group="quality"),
            Column("W bits", group="price per image"),
            Column("A bits", group="price per image"),
            Column("passes", group="price per image"),
            Column("Mcycles", group="price per image"),
            Column("µJ", group="price per image"),
        ],
        [_row(row) for row in methods.rows],
    )


def _row(row: MethodRow) -> Row:
    price = row.price
    return Row(
        [
            row.recipe,
            significant(row.mean("fd_fp32"), 3),
            significant(row.spread("fd_fp32"), 2),
            significant(row.mean("fake_fd_fp32"), 3),
            fixed(row.mean("fd_train"), 3),
            fixed(100 * row.mean("accuracy"), 1),
            significant(row.mean("paired_mse"), 2),
            fixed(statistics.median(row.epsilon_sqnr_db.values()), 1) if row.epsilon_sqnr_db else NONE,
            fixed(price.weight_bits_mac, 2) if price else "32",
            fixed(price.activation_bits_mac, 2) if price else "32",
            fixed(price.passes, 2) if price and price.passes is not None else NONE,
            fixed(price.cycles / 1e6, 2) if price and price.cycles is not None else NONE,
            integer(round(price.energy_pj.mid / 1e6)) if price and price.energy_pj else NONE,
        ]
    )


def methods_csv(tables: list[MethodsTable]) -> str:
    """Every figure of every row and seed, units in the names of the columns."""
    lines = [line for table in tables for row in table.rows for line in _lines(table, row)]
    names = list(dict.fromkeys(name for line in lines for name in line))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def _lines(table: MethodsTable, row: MethodRow) -> list[dict[str, Any]]:
    """A row's figures, once for every seed."""
    price = {} if row.price is None else asdict(row.price)
    energy = price.pop("energy_pj", None) or {}
    epsilon = list(row.epsilon_sqnr_db.values())
    shared = {
        "epsilon_sqnr_median_db": statistics.median(epsilon) if epsilon else None,
        **price,
        **{f"energy_{end}_pj": value for end, value in energy.items()},
    }
    names = {"model": row.model, "recipe": row.recipe, "images": table.images, "steps": table.steps}
    return [{**names, **asdict(seed), **shared} for seed in row.seeds]
