"""What a quantized model costs per image: widths, passes and cycles counted, energy estimated.

In two steps, since the first needs the model and the second changes whenever units are measured anew: what
the layers do (`fpsim.methods.work`), and what that costs (`price`).
"""

from __future__ import annotations

from fpsim.array.block import BlockProgram
from fpsim.array.config import ArrayConfig, passes
from fpsim.array.grouped import GroupedProgram
from fpsim.array.half import HalfProgram
from fpsim.array.program import LayerProgram
from fpsim.array.released import ReleasedProgram
from fpsim.estimate import Band, Layer, Operands, UnitCosts, estimate, total_cost
from fpsim.estimate.beside import BLOCK_UNITS, Beside, BesideCost
from fpsim.report.data import Energy
from fpsim.report.methods import LayerWork, Price, Schedule

NIBBLES = "int4"  # whose unit energies 8-bit operands are charged with, pass by pass

ARRAY, RELEASED, GROUPED, BLOCK, HALF = (
    kind.__name__ for kind in (LayerProgram, ReleasedProgram, GroupedProgram, BlockProgram, HalfProgram)
)


def price(schedule: Schedule, config: ArrayConfig, units: UnitCosts) -> Price:
    """Price of the block linears of one image.

    Energies are those of Gaussian data, of two's complement nibbles where an operand is wider than 4 bits.
    Layers that the array cannot multiply are priced on as many multipliers that can
    (`fpsim.estimate.beside`); ViDiT-Q's released kernels as the array's integers, with the array's own row
    path and epilogue.

    Args:
        schedule: what they do.
        config: the machine.
        units: its characterized unit costs.
    """
    every = [(work.steps, layer) for work in schedule.work for layer in work.layers]
    by_parameter = [(steps * layer.n * layer.k, layer) for steps, layer in every]
    by_mac = [(steps * layer.rows * layer.n * layer.k, layer) for steps, layer in every]
    unpriced = sorted({layer.kind for _, layer in every} - {ARRAY, RELEASED, GROUPED, BLOCK, HALF})
    found = (None, None, None) if unpriced else _cost(schedule, config, units)
    return Price(
        weight_bits_parameter=_mean([(weight, layer.weight_bits) for weight, layer in by_parameter]),
        activation_bits_parameter=_mean([(weight, layer.activation_bits) for weight, layer in by_parameter]),
        weight_bits_mac=_mean([(weight, layer.weight_bits) for weight, layer in by_mac]),
        activation_bits_mac=_mean([(weight, layer.activation_bits) for weight, layer in by_mac]),
        passes=None if unpriced else _mean([(weight, _passes(layer)) for weight, layer in by_mac]),
        cycles=found[0],
        energy_pj=found[1],
        phases=schedule.phases,
        note=f"no unit costs for {', '.join(unpriced)}" if unpriced else _note([layer for _, layer in every]),
    )


def _mean(weighted: list[tuple[int, int]]) -> float:
    return sum(weight * value for weight, value in weighted) / sum(weight for weight, _ in weighted)


def _passes(layer: LayerWork) -> int:
    """Of nibbles where the 4-bit array multiplies integers; one where a unit takes a product in one go."""
    if layer.kind in (RELEASED, GROUPED):
        return passes(f"int{layer.activation_bits}", f"int{layer.weight_bits}")
    return layer.passes or 1


def _note(layers: list[LayerWork]) -> str:
    used = sorted({_multiplier(layer) for layer in layers} - {""})
    return f"on {', '.join(used)}" if used else ""


def _multiplier(layer: LayerWork) -> str:
    """What multiplies, for the note; empty for the array as it is."""
    if layer.kind == BLOCK and layer.group is not None:
        return BLOCK_UNITS[layer.group]
    return {
        GROUPED: "the array, a tile for each group",
        RELEASED: "the array, its row path and epilogue in place of the released kernels'",
        HALF: "FP16 processing elements",
    }.get(layer.kind, "")


def _cost(schedule: Schedule, config: ArrayConfig, units: UnitCosts) -> tuple[int, Energy]:
    cycles, band = 0, Band(0.0, 0.0, 0.0)
    beside = Beside(config, units)
    for work in schedule.work:
        array = [_layer(layer) for layer in work.layers if layer.kind in (ARRAY, RELEASED)]
        total = total_cost(estimate(array, config, units), config)
        others = [_beside(layer, beside) for layer in work.layers if layer.kind not in (ARRAY, RELEASED)]
        cycles += work.steps * (total.cycles + sum(cost.cycles for cost in others))
        band += work.steps * sum((cost.energy_pj for cost in others), total.energy_pj)
    return cycles, Energy(band.low, band.mid, band.high)


def _beside(layer: LayerWork, beside: Beside) -> BesideCost:
    shape = _layer(layer)
    if layer.kind == HALF:
        return beside.floats(shape)
    assert layer.group is not None
    return beside.blocks(shape, layer.group) if layer.kind == BLOCK else beside.groups(shape, layer.group)


def _layer(layer: LayerWork) -> Layer:
    narrow = [
        fmt
        for fmt, width in (
            (layer.weight_fmt, layer.weight_bits),
            (layer.activation_fmt, layer.activation_bits),
        )
        if width == 4 and fmt is not None
    ]
    return Layer(
        layer.name,
        m=layer.rows,
        n=layer.n,
        k=layer.k,
        operands=Operands(
            fmt=NIBBLES if len(narrow) < 2 else narrow[0],
            activation_bits=layer.activation_bits,
            weight_bits=layer.weight_bits,
            passes=_passes(layer),
            static=layer.static,
            rotated=layer.rotated,
            zero_points=layer.zero_points,
        ),
    )
