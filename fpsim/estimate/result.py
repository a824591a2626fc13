"""The whole estimate of a model: per layer, per block, per forward pass, per image."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from fpsim.array.config import ArrayConfig
from fpsim.estimate.activity_model import on_measured_data
from fpsim.estimate.band import Band
from fpsim.estimate.costs import UnitCosts
from fpsim.estimate.dataflow import DATAFLOWS, Product, cycles, machine_cycles, utilization
from fpsim.estimate.estimate import LayerCost, Total, estimate, total_cost
from fpsim.estimate.settings import Settings
from fpsim.estimate.shapes import Layer, Shape
from fpsim.estimate.top_layer import top_layer_cycles
from fpsim.estimate.traffic import traffic


@dataclass(frozen=True)
class Sum:
    """Something summed up: one block, one forward pass, one image.

    Attributes:
        total: multiply-accumulates, cycles, energy.
        stall_cycles: cycles of the array that wait for a memory.
        sram_written_bits, sram_read_bits, dram_bits: traffic.
    """

    total: Total
    stall_cycles: int
    sram_written_bits: int
    sram_read_bits: int
    dram_bits: int

    @classmethod
    def of(cls, costs: list[LayerCost], config: ArrayConfig) -> Sum:
        """Sum over layers."""
        return cls(
            total_cost(costs, config),
            sum(cost.stall_cycles for cost in costs),
            sum(cost.sram_bits[0] for cost in costs),
            sum(cost.sram_bits[1] for cost in costs),
            sum(cost.dram_bits for cost in costs),
        )

    def times(self, factor: int) -> Sum:
        """So many of it."""
        total = self.total
        return Sum(
            replace(
                total,
                macs=total.macs * factor,
                host_macs=total.host_macs * factor,
                cycles=total.cycles * factor,
                parts_pj={part: band * factor for part, band in total.parts_pj.items()},
                energy_pj=total.energy_pj * factor,
            ),
            self.stall_cycles * factor,
            self.sram_written_bits * factor,
            self.sram_read_bits * factor,
            self.dram_bits * factor,
        )

    def to_dict(self, clock_mhz: float) -> dict[str, Any]:
        """Plain data."""
        total = asdict(self.total)
        rest = {name: value for name, value in asdict(self).items() if name != "total"}
        return {**total, **rest, "latency_us": self.total.cycles / clock_mhz}


@dataclass(frozen=True)
class Estimate:
    """What a model costs.

    Attributes:
        name: the model's.
        parameters: trained ones.
        settings: what was asked.
        library: whose unit costs were taken.
        layers: cost of every layer in one forward pass.
        block: one transformer block, the mean one where they differ.
        forward: one forward pass of one sample.
        image: all forward passes of one image or video.
    """

    name: str
    parameters: int
    settings: Settings
    library: str
    layers: list[LayerCost]
    block: Sum
    forward: Sum
    image: Sum

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON: cycles, bits, and energies in pJ with low, mid and high."""
        settings, clock = self.settings, self.settings.clock_mhz
        return {
            "name": self.name,
            "parameters": self.parameters,
            "library": self.library,
            "clock_mhz": clock,
            "passes_per_image": settings.passes_per_image,
            "config": settings.config.to_dict(),
            "on_array": list(settings.on_array),
            "activity": settings.activity,
            "memory": asdict(settings.memory),
            "layers": [layer_record(cost, settings) for cost in self.layers],
            "total_macs": self.forward.total.macs,
            "total_cycles": self.forward.total.cycles,
            "total_energy_pj": self.forward.total.energy_pj.to_dict(),
            "block": self.block.to_dict(clock),
            "forward_pass": self.forward.to_dict(clock),
            "image": self.image.to_dict(clock),
        }


def estimate_model(shape: Shape, settings: Settings, units: UnitCosts) -> Estimate:
    """Estimate a model.

    Args:
        shape: its layers.
        settings: what is asked.
        units: characterized unit costs of the configuration's units.

    Raises:
        ValueError: settings that do not fit the model, the units or the accelerator.
    """

    def costs(layers: list[Layer]) -> list[LayerCost]:
        found = estimate(
            layers,
            settings.config,
            units,
            data=settings.stimulus,
            fmt=settings.operands.operands().fmt or settings.operands.format,
            clock_mhz=settings.clock_mhz,
            activations_in_dram=settings.memory.activations_in_dram,
            memory=settings.memory,
            on_array=settings.on_array,
        )
        if settings.activity is None:
            return found
        return on_measured_data(found, settings.model, settings.activity, settings.config, units.library)

    layers = settings.dressed(shape.layers)
    whole = costs(layers)
    one_block = [
        replace(layer, count=layer.count // layer.blocks, blocks=1) for layer in layers if layer.blocks
    ]
    forward = Sum.of(whole, settings.config)
    return Estimate(
        name=shape.name,
        parameters=shape.parameters,
        settings=settings,
        library=units.library,
        layers=whole,
        block=Sum.of(costs(one_block), settings.config),
        forward=forward,
        image=forward.times(settings.passes_per_image),
    )


def layer_record(cost: LayerCost, settings: Settings) -> dict[str, Any]:
    """A layer's line as plain data; what the host runs has multiply-accumulates only."""
    layer, counts = cost.layer, cost.counts
    record: dict[str, Any] = {
        "layer": layer.name,
        "kind": layer.kind,
        "runs_on": "host" if counts is None else "array",
        "count": layer.count,
        "blocks": layer.blocks,
        **{name: getattr(layer, name) for name in ("m", "n", "k")},
        "macs": cost.macs,
    }
    if counts is None:
        return record
    operands, (written, read) = layer.operands, cost.sram_bits
    top = top_layer_cycles(layer, settings.config)
    return record | {
        "activation_bits": operands.activation_bits,
        "weight_bits": operands.weight_bits,
        "passes": operands.passes,
        "cycles": cost.cycles,
        "stall_cycles": cost.stall_cycles,
        "top_cycles": None if top is None else top * layer.count,
        "utilization": cost.utilization,
        "tiles": counts.tiles * layer.count,
        "hadamard_beats": counts.rotate_beats * layer.count,
        "quantizer_beats": counts.rotate_beats * layer.count,
        "sram_written_bits": written,
        "sram_read_bits": read,
        "dram_bits": cost.dram_bits,
        "macs_per_dram_byte": 8 * cost.macs / cost.dram_bits if cost.dram_bits else None,
        "energy_pj": {part: band.to_dict() for part, band in cost.parts_pj.items()},
        "total_energy_pj": cost.energy_pj.to_dict(),
        "dataflows": dataflow_records(layer, settings),
    }


def dataflow_records(layer: Layer, settings: Settings) -> dict[str, Any]:
    """The layer in each dataflow on an array of this size: cycles, utilization, bits per operand.

    Cycles are those of `fpsim.estimate.dataflow`, one fold after the other and with second registers; the
    machine's own stand beside those of os. Without stalls.
    """
    config, operands = settings.config, layer.operands
    product = Product(
        layer.m,
        layer.n,
        layer.k,
        activation_bits=operands.activation_bits,
        weight_bits=operands.weight_bits,
    )
    sram = settings.sram.words(operands, config.unit.acc_bits)
    records: dict[str, Any] = {}
    for flow in DATAFLOWS:
        serial, overlapped = (
            cycles(flow, product, config.rows, config.cols, overlap=overlap) for overlap in (False, True)
        )
        words = traffic(flow, product, config.rows, config.cols, sram)
        records[flow] = {
            "cycles": serial * layer.count,
            "cycles_overlapped": overlapped * layer.count,
            "utilization": utilization(product, config.rows, config.cols, serial) / product.passes,
            "bits": {
                operand: {f"{name}_bits": bits * layer.count for name, bits in counted.items()}
                for operand, counted in asdict(words.bits(product, config.unit.acc_bits)).items()
            },
        }
    records["os"]["machine_cycles"] = machine_cycles(product, config) * layer.count
    return records


def energy_columns(parts: dict[str, Band], total: Band) -> dict[str, float]:
    """Energies as columns, their unit in the name: energy_mid_pJ, array_low_pJ."""
    everything = {"energy": total, **parts}
    return {
        f"{name}_{end}_pJ": value
        for name, band in everything.items()
        for end, value in band.to_dict().items()
    }
