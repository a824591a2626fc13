"""Cycles and energy of a model on the accelerator: counts times unit costs, low, mid and high."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache, partial

from fpsim.array.config import ArrayConfig
from fpsim.estimate.band import ZERO, Band, total
from fpsim.estimate.bandwidth import Memory
from fpsim.estimate.constants import load_constants
from fpsim.estimate.costs import UnitCosts
from fpsim.estimate.counts import NIBBLE_BITS, UNLIMITED, LayerCounts, count_layer
from fpsim.estimate.memory import sram_energy
from fpsim.estimate.shapes import Kind, Layer, Operands

PARTS = ("array", "hadamard", "quantize", "epilogue", "idle", "sram", "dram", "leakage")
ON_ARRAY: tuple[Kind, ...] = ("linear",)
PIPELINED = ("hadamard", "quantizer")  # units with registers beside the array and the epilogue

ASSUMPTIONS = (
    "Costed: the block linears, and what else the array is asked to run (attention's products, adaLN, the "
    "embeddings). The rest runs on the host, as do softmax, LayerNorm and GELU always: "
    "multiply-accumulates are counted, their energy is not.",
    "Cycles are the array's; input path and epilogue keep up and overlap with it. It waits for SRAM ports "
    "and DRAM where a limit is given; none is by default.",
    "Padding of ragged tiles is charged as if it were data. Rows are charged as rotated unless a layer says "
    "otherwise, also those of attn.proj, which pass the Hadamard engine unchanged because their rotation is "
    "folded into the weights.",
    "Unit energies come from synthesized netlists that computed what the RTL does, on the data named. low: "
    "zero-delay activity, no wires. mid: wires as heavy as the pins. high: the same wires and every glitch "
    "of a unit-delay simulation.",
    "idle: clocks of input path and epilogue while they wait; low and mid: gated, high: running.",
    "Not included: clock tree, control, host interface, SRAM leakage, layout. The clock is an operating "
    "point for leakage, not a claim that timing closes.",
    "SRAM: 128-bit accesses to the smallest CACTI bank that holds the buffer, 256 kB banks for larger ones, "
    "at CACTI's node nearest to the library's (22 to 65 nm). DRAM: weights once per forward pass.",
)


@dataclass(frozen=True)
class LayerCost:
    """What a layer costs in one forward pass, all `layer.count` of it together.

    Attributes:
        layer: the layer.
        cycles: cycles of the array; 0 on the host.
        utilization: useful multiply-accumulates over what the array could do in these cycles; 0 on the host.
        parts_pj: energy by part in pJ, the names of `PARTS`; empty on the host.
        counts: how often everything happens in one run; None on the host.
    """

    layer: Layer
    cycles: int = 0
    utilization: float = 0.0
    parts_pj: dict[str, Band] = field(default_factory=dict)
    counts: LayerCounts | None = None

    @property
    def on_host(self) -> bool:
        """Whether the host runs the layer; its energy is then not in the estimate."""
        return self.counts is None

    @property
    def macs(self) -> int:
        """Useful multiply-accumulates."""
        return self.layer.macs

    @property
    def energy_pj(self) -> Band:
        """All parts together in pJ; zero on the host."""
        return total(list(self.parts_pj.values()))

    @property
    def stall_cycles(self) -> int:
        """Of the cycles, those in which the array waits for a memory."""
        return self.counts.stall_cycles * self.layer.count if self.counts else 0

    @property
    def dram_bits(self) -> int:
        """Bits from and to DRAM; 0 on the host."""
        return self.counts.dram_bits * self.layer.count if self.counts else 0

    @property
    def sram_bits(self) -> tuple[int, int]:
        """Bits written to and read from SRAM; 0 on the host."""
        buffers = list(self.counts.buffers.values()) if self.counts else []
        written, read = sum(b.written_bits for b in buffers), sum(b.read_bits for b in buffers)
        return written * self.layer.count, read * self.layer.count


@dataclass(frozen=True)
class Total:
    """Sums over a model's layers for one forward pass.

    Attributes:
        macs, host_macs: multiply-accumulates on the accelerator and on the host.
        cycles: of the array.
        utilization: over all of them.
        parts_pj, energy_pj: energy in pJ by part and in all.
    """

    macs: int
    host_macs: int
    cycles: int
    utilization: float
    parts_pj: dict[str, Band]
    energy_pj: Band


def estimate(
    model_layers: list[Layer],
    config: ArrayConfig,
    units: UnitCosts,
    *,
    data: str = "gaussian",
    fmt: str = "e2m1",
    clock_mhz: float = 100.0,
    activations_in_dram: bool = False,
    memory: Memory = UNLIMITED,
    on_array: Collection[Kind] = ON_ARRAY,
) -> list[LayerCost]:
    """Cost of every layer of a model for one forward pass of one sample.

    Args:
        model_layers: the layers (`fpsim.estimate.shapes`).
        config: the accelerator.
        units: characterized unit costs of the configuration's units (`load_units`, `find_units`).
        data: stimulus whose unit energies are taken: "gaussian", "uniform" or "file".
        fmt: operand format of layers that name none.
        clock_mhz: clock, for the leakage's share only.
        activations_in_dram: whether x and y of every layer cross the DRAM.
        memory: what the memories deliver.
        on_array: kinds of layers that the array runs; the host runs the others.

    Raises:
        ValueError: costs of other units, an unknown stimulus or format, a clock of 0 or less.
    """
    units.check(config)
    for name in {fmt, *(layer.operands.fmt for layer in model_layers if layer.operands.fmt)}:
        config.unit.operand_format(name)
    if not clock_mhz > 0:
        raise ValueError(f"clock_mhz={clock_mhz}: expected more than 0")
    pricing = cache(lambda name: _Pricing(config, units, data, name, clock_mhz))
    return [
        _cost(layer, config, pricing(layer.operands.fmt or fmt), activations_in_dram, memory)
        if layer.kind in on_array
        else LayerCost(layer)
        for layer in model_layers
    ]


def total_cost(costs: list[LayerCost], config: ArrayConfig) -> Total:
    """Sum over layers."""
    cycles = sum(cost.cycles for cost in costs)
    macs = sum(cost.macs for cost in costs if not cost.on_host)
    parts = {part: total([cost.parts_pj.get(part, ZERO) for cost in costs]) for part in PARTS}
    return Total(
        macs=macs,
        host_macs=sum(cost.macs for cost in costs if cost.on_host),
        cycles=cycles,
        utilization=macs / (cycles * config.rows * config.cols) if cycles else 0.0,
        parts_pj=parts,
        energy_pj=total(list(parts.values())),
    )


def _cost(
    layer: Layer, config: ArrayConfig, pricing: _Pricing, activations_in_dram: bool, memory: Memory
) -> LayerCost:
    counts = count_layer(layer, config, activations_in_dram=activations_in_dram, memory=memory)
    return LayerCost(
        layer=layer,
        cycles=counts.cycles * layer.count,
        utilization=counts.macs / (counts.cycles * config.rows * config.cols),
        parts_pj={part: band * layer.count for part, band in pricing.parts(counts, layer.operands).items()},
        counts=counts,
    )


class _Pricing:
    """Unit costs looked up once, applied to counts."""

    def __init__(self, config: ArrayConfig, units: UnitCosts, data: str, fmt: str, clock_mhz: float) -> None:
        def energy(unit: str, operation: str) -> Band:
            return units.energy(unit, operation, data, fmt)

        self._array_energy = partial(units.array_energy, config, data=data, fmt=fmt)
        self._beat = cache(lambda name: energy(name, "beat"))
        self._lane = cache(lambda name: energy(name, "beat") * (1 / units.lanes(name)))
        self._row = cache(lambda name: energy(name, "row"))
        self._idle = {name: energy(name, "idle").high for name in (*PIPELINED, "epilogue")}
        self._lanes = units.lanes("epilogue")
        self._cols = config.cols
        self._node = units.node_nm
        leakage_nw = sum(area.leakage_nw for area in units.areas(config).values())
        self._leakage_pj = leakage_nw * 1e-9 / (clock_mhz * 1e6) * 1e12  # per cycle
        self._constants = load_constants()

    def parts(self, counts: LayerCounts, operands: Operands) -> dict[str, Band]:
        """Energy of one run by part, in pJ."""
        beat = self._beat
        leakage = self._leakage_pj * counts.cycles
        rotate_beats = counts.rotate_beats if operands.rotated else 0
        per_output = self._lane("epilogue")
        if operands.zero_points:
            per_output = per_output + self._lane("zero_correction")
        return {
            "array": self._array_energy(counts.beats, counts.tiles),
            "hadamard": beat("hadamard") * rotate_beats,
            "quantize": beat("align") * counts.align_beats + self._quantize(counts, operands),
            "epilogue": per_output * counts.outputs,
            "idle": Band(0.0, 0.0, self._idle_clocks(counts)),
            "sram": self._sram(counts),
            "dram": self._constants.figures["dram_access"].value * counts.dram_bits,
            "leakage": Band(leakage, leakage, leakage),
        }

    def _quantize(self, counts: LayerCounts, operands: Operands) -> Band:
        """Scales of rows where they are dynamic, and codes: by division where they are wide or have zero
        points, by comparison else."""
        beat, beats = self._beat, counts.rotate_beats
        divided = operands.activation_bits > NIBBLE_BITS or operands.zero_points
        energy = beat("wide_quantizer" if divided else "quantizer") * beats
        if operands.zero_points:
            energy = energy + beat("row_sum") * beats
        if operands.static:
            return energy
        energy = energy + beat("range" if operands.zero_points else "amax") * beats
        if operands.zero_points:
            energy = energy + self._row("zero_point") * counts.rows
        return energy + self._row("row_scale") * counts.rows

    def _idle_clocks(self, counts: LayerCounts) -> float:
        waiting = max(counts.cycles - counts.rotate_beats, 0)
        path = sum(self._idle[name] for name in PIPELINED) * waiting
        lane_cycles = max(counts.cycles * self._cols - counts.outputs, 0)
        return path + self._idle["epilogue"] / self._lanes * lane_cycles

    def _sram(self, counts: LayerCounts) -> Band:
        return sram_energy(counts.buffers.values(), self._node)
