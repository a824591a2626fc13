"""What a run of the main job found out: plain data, filled stage by stage, written as JSON, drawn as HTML."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

Grid = list[list[list[float]]]


@dataclass(frozen=True)
class Quality:
    """One arithmetic on one model.

    Attributes:
        name: "fp32" or a recipe's name.
        title: one line for people.
        fd_train: Frechet distance to the training set (classifier features).
        fd_train_pixels: the same over raw pixels.
        fd_fp32: Frechet distance to the FP32 samples of the same noise; 0 for FP32 itself.
        accuracy: share of images that the classifier gives their label, 0 to 1.
        paired_mse: mean squared pixel difference to the FP32 sample of the same noise.
        epsilon_sqnr_db: timestep to SQNR of the predicted noise in dB; empty for FP32.
        layer_sqnr_db: layer to SQNR of its output in dB; empty for FP32.
        images: first samples, pixels in [-1, 1].
        seconds: sampling time.
    """

    name: str
    title: str
    fd_train: float
    fd_train_pixels: float
    fd_fp32: float
    accuracy: float
    paired_mse: float
    epsilon_sqnr_db: dict[int, float]
    layer_sqnr_db: dict[str, float]
    images: Grid
    seconds: float


@dataclass(frozen=True)
class ModelQuality:
    """A model and every arithmetic that ran on it."""

    name: str
    title: str
    images: int
    steps: int
    rows: list[Quality]


@dataclass(frozen=True)
class GoldenSummary:
    """One golden set that was written: its unit, folder, words per field and tiles."""

    unit: str
    path: str
    words: dict[str, int]
    tiles: int


@dataclass(frozen=True)
class RtlCheck:
    """One RTL unit in the simulator: vectors by kind, cycles, seconds, verdict."""

    unit: str
    passed: bool
    vectors: dict[str, int]
    cycles: int
    seconds: float
    message: str = ""


@dataclass(frozen=True)
class Energy:
    """Energy in pJ: low, mid and high of a band."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class LayerCostRow:
    """One layer's cost for one forward pass of one image.

    Attributes:
        layer: the layer's name.
        macs: multiply-accumulates.
        cycles: array cycles.
        utilization: MACs over cycles times array size, 0 to 1.
        energy_pj: energy by component.
    """

    layer: str
    macs: int
    cycles: int
    utilization: float
    energy_pj: dict[str, Energy]


@dataclass(frozen=True)
class UnitArea:
    """Area of one kind of unit in the accelerator: um2 and NAND2 equivalents of all `count` of them."""

    unit: str
    count: int
    area_um2: float
    nand2: float


@dataclass(frozen=True)
class WorkloadCost:
    """Cost of one workload: its layers, and the whole (which may count a layer more than once)."""

    name: str
    title: str
    layers: list[LayerCostRow]
    total_macs: int
    total_cycles: int
    total_energy_pj: Energy


@dataclass(frozen=True)
class Cost:
    """Area and workload costs on one characterized library."""

    library: str
    node: str
    voltage_v: float
    notes: list[str]
    areas: list[UnitArea]
    workloads: list[WorkloadCost]


@dataclass(frozen=True)
class DemoReport:
    """Everything that the report shows.

    Attributes:
        config: the machine, `ArrayConfig.to_dict()`.
        seeds: name to seed.
        versions: package or tool to version.
        models: quality per model.
        golden: golden sets written.
        rtl: RTL checks.
        cost: area, cycles, energy.
        stage_seconds: stage to wall-clock seconds.
        not_modelled: sentences on what runs in floating point or is left out.
    """

    config: dict[str, Any]
    seeds: dict[str, int]
    versions: dict[str, str]
    models: list[ModelQuality]
    golden: list[GoldenSummary]
    rtl: list[RtlCheck]
    cost: Cost
    stage_seconds: dict[str, float]
    not_modelled: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)
