"""Stage 6: area of the accelerator, cycles and energy of the digits model and of DiT-XL/2."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.estimate import (
    ASSUMPTIONS,
    Band,
    LayerCost,
    Shape,
    UnitCosts,
    digits,
    dit,
    estimate,
    find_units,
    total_cost,
)
from fpsim.report.data import Cost, Energy, LayerCostRow, UnitArea, WorkloadCost


def estimate_cost(config: ArrayConfig, library: str) -> Cost:
    """Area and workloads of a configuration on a characterized library.

    Raises:
        ValueError: no committed costs of that library for this configuration's units.
    """
    units = find_units(library, config.unit)
    facts = units.record["library"]
    areas = units.areas(config)
    return Cost(
        library=units.library,
        node=f"{units.node_nm:g} nm ({facts['corner']})",
        voltage_v=float(facts["voltage_v"]),
        notes=list(ASSUMPTIONS),
        areas=[UnitArea(name, 1, area.area_um2, area.ge) for name, area in areas.items()],
        workloads=[workload_cost(shape, config, units) for shape in (digits(), dit("XL", 2, 256))],
    )


def cost_versions(config: ArrayConfig, library: str) -> dict[str, str]:
    """What the committed unit costs of a library were measured with, and when."""
    record = find_units(library, config.unit).record
    tools = {f"unit costs: {tool}": str(version) for tool, version in record["tools"].items()}
    return {
        **tools,
        "unit costs: date": str(record["date"]),
        "unit costs: RTL sha256": str(record["rtl_sha256"]),
    }


def workload_cost(shape: Shape, config: ArrayConfig, units: UnitCosts) -> WorkloadCost:
    """One forward pass of one sample: the layers that the machine runs, and their sum."""
    return workload_of(shape.name, estimate(shape.layers, config, units), config)


def workload_of(name: str, costs: list[LayerCost], config: ArrayConfig) -> WorkloadCost:
    """The same of layers whose costs are known."""
    total = total_cost(costs, config)
    rows = [
        LayerCostRow(
            layer=f"{cost.layer.name} ×{cost.layer.count}",
            macs=cost.macs,
            cycles=cost.cycles,
            utilization=cost.utilization,
            energy_pj={part: _energy(band) for part, band in cost.parts_pj.items()},
        )
        for cost in costs
        if not cost.on_host
    ]
    return WorkloadCost(
        name=name,
        title=f"{name}, one forward pass of one image ({total.host_macs:,} MACs run on the host)",
        layers=rows,
        total_macs=total.macs,
        total_cycles=total.cycles,
        total_energy_pj=_energy(total.energy_pj),
    )


def _energy(band: Band) -> Energy:
    return Energy(band.low, band.mid, band.high)
