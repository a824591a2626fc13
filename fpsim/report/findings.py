"""What the data says, in words: every sentence is computed, so it changes when the data does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from fpsim.report.data import Cost, DemoReport, ModelQuality, Quality, RtlCheck
from fpsim.report.text import (
    area_scale,
    counted,
    energy_scale,
    integer,
    listed,
    percent,
    significant,
)

REFERENCE = "fp32"
KIND_ORDER = ("golden", "exhaustive", "random")
Status = Literal["passed", "failed", "incomplete"]


@dataclass(frozen=True)
class Verdict:
    """The run in one paragraph.

    Attributes:
        status: "passed" if every RTL check passed, "failed" if one did not, "incomplete" if none ran.
        headline: the same for people.
        sentences: quality per model, RTL, cost.
    """

    status: Status
    headline: str
    sentences: list[str]

    @property
    def text(self) -> str:
        """The paragraph."""
        return " ".join(self.sentences)


def is_synthetic(model: ModelQuality) -> bool:
    """Whether the model's outliers were put there, told by its name or title."""
    return "stress" in model.name.lower() or "synthetic" in model.title.lower()


def model_label(model: ModelQuality) -> str:
    """The model's name, marked where its outliers are synthetic."""
    return f"{model.name} (synthetic outliers)" if is_synthetic(model) else model.name


def ranked(model: ModelQuality) -> list[Quality]:
    """All rows, nearest to the FP32 samples first and FP32 itself before all."""
    return sorted(model.rows, key=lambda row: (row.name != REFERENCE, row.fd_fp32, row.name))


def quantized(model: ModelQuality) -> list[Quality]:
    """The rows that are not FP32, nearest to the FP32 samples first."""
    return [row for row in ranked(model) if row.name != REFERENCE]


def typical(sqnr_db: dict[Any, float]) -> float:
    """Median SQNR; NaN for none."""
    return median(sqnr_db.values()) if sqnr_db else math.nan


def ok(check: RtlCheck) -> bool:
    """Whether the unit passed on at least one vector: a run that checked nothing is not a pass."""
    return check.passed and vector_count(check) > 0


def vector_count(check: RtlCheck) -> int:
    """Vectors of all kinds."""
    return sum(check.vectors.values())


def vector_kinds(checks: list[RtlCheck]) -> list[str]:
    """The kinds that occur: golden, exhaustive, random, then any other by name."""
    found = {kind for check in checks for kind in check.vectors}
    known = [kind for kind in KIND_ORDER if kind in found]
    return known + sorted(found.difference(KIND_ORDER))


def array_utilization(macs: int, cycles: int, config: dict[str, Any]) -> float | None:
    """MACs over what the array could do in these cycles; None if its shape or the cycles are not known."""
    slots = cycles * config.get("rows", 0) * config.get("cols", 0)
    return macs / slots if slots else None


def _other_orders(rows: list[Quality]) -> str:
    names = [row.name for row in rows]
    orders = {"the paired error": sorted(rows, key=lambda row: row.paired_mse)}
    if all(row.epsilon_sqnr_db for row in rows):
        orders["the median epsilon SQNR"] = sorted(rows, key=lambda row: -typical(row.epsilon_sqnr_db))
    same = [metric for metric, order in orders.items() if [row.name for row in order] == names]
    sentences = [
        f"{metric[0].upper()}{metric[1:]} orders them differently: {', '.join(row.name for row in order)}."
        for metric, order in orders.items()
        if metric not in same
    ]
    if same:
        verb = "gives" if len(same) == 1 else "give"
        agreeing = listed(same)
        sentences.insert(0, f"{agreeing[0].upper()}{agreeing[1:]} {verb} the same order.")
    return " ".join(sentences)


def quality_sentence(model: ModelQuality) -> str:
    """Which arithmetic comes closest to FP32 on this model, by how much, and whether the metrics agree."""
    about = ["synthetic outliers"] if is_synthetic(model) else []
    about += [counted(model.images, "image"), counted(model.steps, "step")]
    where = f"On {model.name} ({', '.join(about)})"
    rows = quantized(model)
    if not rows:
        return f"{where} no quantized arithmetic ran."
    best, worst = rows[0], rows[-1]
    distance = "Fréchet distance to the FP32 samples of the same noise"
    if len(rows) == 1:
        return f"{where} {best.name} is at a {distance} of {significant(best.fd_fp32)}."
    if best.fd_fp32 == worst.fd_fp32:
        return f"{where} all recipes are at the same {distance}, {significant(best.fd_fp32)}."
    ratio = "" if best.fd_fp32 == 0 else f" ({significant(worst.fd_fp32 / best.fd_fp32)} times as far)"
    return (
        f"{where} {best.name} comes closest to FP32: {distance} {significant(best.fd_fp32)}, "
        f"against {significant(worst.fd_fp32)} for {worst.name}{ratio}. {_other_orders(rows)}"
    )


def misleading(model: ModelQuality) -> list[str]:
    """Where accuracy or the distance to the training set would rank a recipe at or above FP32."""
    reference = next((row for row in model.rows if row.name == REFERENCE), None)
    if reference is None:
        return []
    notes = []
    for row in quantized(model):
        if row.fd_fp32 == 0:
            continue
        if row.accuracy >= reference.accuracy:
            notes.append(
                f"By accuracy {row.name} is no worse than FP32 ({percent(row.accuracy)} against "
                f"{percent(reference.accuracy)}), although its samples differ "
                f"(FD to FP32 {significant(row.fd_fp32)})."
            )
        if row.fd_train <= reference.fd_train:
            notes.append(
                f"By FD to the training set {row.name} looks no worse than FP32 "
                f"({significant(row.fd_train)} against {significant(reference.fd_train)}), "
                f"although it only adds error to the same model."
            )
    return notes


def rtl_sentence(checks: list[RtlCheck]) -> str:
    """How many vectors the RTL passed, or which units failed."""
    if not checks:
        return "The RTL was not simulated in this run, so nothing here says whether it agrees."
    failed = [check for check in checks if not ok(check)]
    if failed:
        units = [c.unit if vector_count(c) else f"{c.unit} (no vector was run)" for c in failed]
        return (
            f"The RTL check FAILED for {listed(units)}, {len(failed)} of {counted(len(checks), 'unit')}: "
            f"cost figures below do not describe a verified design."
        )
    totals = {kind: sum(check.vectors.get(kind, 0) for check in checks) for kind in vector_kinds(checks)}
    parts = ", ".join(f"{integer(count)} {kind}" for kind, count in totals.items())
    return (
        f"The RTL passed {counted(sum(totals.values()), 'vector')} in {counted(len(checks), 'unit')} "
        f"({parts}), bit for bit."
    )


def cost_sentences(cost: Cost, config: dict[str, Any]) -> list[str]:
    """Area of the accelerator and the totals of every workload."""
    sentences = []
    area = sum(unit.area_um2 for unit in cost.areas)
    if cost.areas:
        sentences.append(
            f"The accelerator takes {area_scale(area).quantity(area)} of cell area in {cost.library} "
            f"({cost.node})."
        )
    for workload in cost.workloads:
        energy = workload.total_energy_pj
        scale = energy_scale(energy.mid)
        busy = array_utilization(workload.total_macs, workload.total_cycles, config)
        used = "" if busy is None else f" at {percent(busy)} utilization"
        sentences.append(
            f"Workload {workload.name}: {integer(workload.total_cycles)} cycles{used}, "
            f"{scale.quantity(energy.mid)} (band {scale.number(energy.low)} to "
            f"{scale.quantity(energy.high)})."
        )
    return sentences or ["Cost was not estimated in this run."]


def verdict(report: DemoReport) -> Verdict:
    """The run in one paragraph, from its data."""
    failed = [check for check in report.rtl if not ok(check)]
    status: Status = "failed" if failed else "passed" if report.rtl else "incomplete"
    headline = {
        "passed": "RTL and reference agree",
        "failed": "RTL check failed",
        "incomplete": "RTL not checked",
    }[status]
    quality = [quality_sentence(model) for model in report.models] or ["No model was sampled in this run."]
    rtl = rtl_sentence(report.rtl)
    cost = cost_sentences(report.cost, report.config)
    sentences = [rtl, *quality, *cost] if status == "failed" else [*quality, rtl, *cost]
    return Verdict(status, headline, sentences)
