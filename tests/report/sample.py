"""A report made by hand: two models, three arithmetics, nine units, two workloads."""

from __future__ import annotations

import math
from dataclasses import replace

from fpsim.array.config import ArrayConfig
from fpsim.report.data import (
    Cost,
    DemoReport,
    Energy,
    GoldenSummary,
    Grid,
    LayerCostRow,
    ModelQuality,
    Quality,
    RtlCheck,
    UnitArea,
    WorkloadCost,
)

LINEARS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
LAYERS = [f"blocks.{i}.{linear}" for i in range(6) for linear in LINEARS]
TIMESTEPS = list(range(949, -1, -50))
UNITS = (
    "decode",
    "mul",
    "mac",
    "mac_array",
    "align",
    "hadamard",
    "row_scale",
    "quantizer",
    "epilogue",
)


def images(error: float, count: int = 12) -> Grid:
    """Rings of varying width with a deterministic disturbance."""

    def pixel(n: int, y: int, x: int) -> float:
        radius = math.hypot(y - 3.5, (x - 3.5) * (1.2 + 0.1 * (n % 5)))
        clean = 1.0 if 1.6 <= radius <= 3.0 else -1.0
        return clean + error * math.sin(17 * n + 5 * y * y + 3 * x + x * y)

    return [[[pixel(n, y, x) for x in range(8)] for y in range(8)] for n in range(count)]


def fp32() -> Quality:
    return Quality("fp32", "FP32 on the host", 0.3412, 4.561, 0.0, 0.982, 0.0, {}, {}, images(0), 12.25)


def recipe(name: str, level: float, fd_fp32: float) -> Quality:
    return Quality(
        name=name,
        title=f"W4A4 E2M1, recipe {name}",
        fd_train=0.3412 + fd_fp32,
        fd_train_pixels=4.561 + fd_fp32,
        fd_fp32=fd_fp32,
        accuracy=0.9825 - fd_fp32 / 100,
        paired_mse=0.0123 * fd_fp32,
        epsilon_sqnr_db={t: level + 0.02 * t - 4 * math.cos(t) for t in TIMESTEPS},
        layer_sqnr_db={name: level + 6 * math.sin(3 * i) for i, name in enumerate(LAYERS)},
        images=images(fd_fp32 / 2),
        seconds=98.75,
    )


def model(name: str = "digits", title: str = "as trained") -> ModelQuality:
    """The recipe that is worse stands first, so that sorting shows."""
    rows = [fp32(), recipe("naive-w4a4", 9.0, 3.3821), recipe("rotated-w4a4", 19.5, 0.0763)]
    return ModelQuality(name, title, 500, 20, rows)


def layer_cost(name: str, macs: int, scale: float) -> LayerCostRow:
    mids = {"MAC": 61.0, "registers": 33.0, "Hadamard": 2.5, "quantizer": 4.0, "SRAM": 55.0, "DRAM": 120.0}
    energy = {
        component: Energy(0.6 * mid * scale, mid * scale, 1.9 * mid * scale)
        for component, mid in mids.items()
    }
    return LayerCostRow(name, macs, macs // 200, macs / (macs // 200) / 256, energy)


def workload() -> WorkloadCost:
    sizes = {"attn.qkv": 442368, "attn.proj": 147456, "mlp.fc1": 589824, "mlp.fc2": 589824}
    layers = [layer_cost(name, sizes[name.split(".", 2)[2]], sizes[name.split(".", 2)[2]]) for name in LAYERS]
    total = Energy(1.8e9, 2.95e9, 5.6e9)
    return WorkloadCost("digits", "one image, 20 steps", layers, 212336640, 1061680, total)


def areas() -> list[UnitArea]:
    sizes = {
        "mac": (256, 61234.5, 70123.0),
        "mac_array registers": (1, 9120.25, 10444.0),
        "hadamard": (1, 7431.0, 8510.0),
        "quantizer": (32, 6120.5, 7009.0),
        "align": (32, 4480.0, 5131.0),
        "row_scale": (1, 512.125, 586.5),
        "epilogue": (16, 1312.0, 1502.5),
        "control": (1, 208.0, 238.0),
    }
    return [UnitArea(unit, *values) for unit, values in sizes.items()]


def checks() -> list[RtlCheck]:
    return [
        RtlCheck(unit, True, {"golden": 1024 + i, "exhaustive": 256 * i, "random": 5000}, 9000 + 111 * i, 3.5)
        for i, unit in enumerate(UNITS)
    ]


def report() -> DemoReport:
    """Everything ran and passed."""
    stress = model("digits-stress", "synthetic outlier channels, the same FP32 function")
    block = replace(workload(), name="DiT-XL/2 block", title="one block, 256 tokens")
    return DemoReport(
        config=ArrayConfig().to_dict(),
        seeds={"signs": 20, "golden": 7},
        versions={"fpsim": "0.1.0", "python": "3.11.2", "verilator": "5.048"},
        models=[model(), stress],
        golden=[GoldenSummary("mul", "golden/mul/default", {"a": 256, "b": 256, "product": 256}, 1)],
        rtl=checks(),
        cost=Cost(
            "NangateOpenCellLibrary",
            "45 nm",
            1.1,
            ["Zero-delay activity; the band's upper end holds glitches."],
            areas(),
            [workload(), block],
        ),
        stage_seconds={"Sample": 204.5, "RTL": 31.5},
        not_modelled=["Attention's two matrix products and softmax run in float32 on the host."],
    )


def empty() -> DemoReport:
    """Nothing ran."""
    return DemoReport({}, {}, {}, [], [], [], Cost("none", "none", 0.0, [], [], []), {})


def with_failure() -> DemoReport:
    """One unit's outputs differ."""
    full = report()
    rtl = [
        replace(check, passed=False, message="beat 17: product 0x3fff, expected 0x3ffe")
        if check.unit == "mul"
        else check
        for check in full.rtl
    ]
    return replace(full, rtl=rtl)
