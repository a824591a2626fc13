"""What a quantized model costs per image: widths, passes and cycles counted, energy estimated.

In two steps, since the first needs the model and the second changes whenever units are measured anew: what
the layers do (`schedule_of`), and what that costs (`price`).
"""

from __future__ import annotations

from collections import Counter

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.array.protocol import OperandBits, Program
from fpsim.estimate import Band, Layer, Operands, UnitCosts, estimate, total_cost
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.report.data import Energy
from fpsim.report.methods import LayerWork, Price, Schedule, StepsWork

HOST = "FP32"  # the kind of a layer without a program
HOST_BITS = OperandBits(32, 32, None)
ARRAY = LayerProgram.__name__
NIBBLES = "int4"  # whose unit energies 8-bit operands are charged with, pass by pass

Rows = dict[str, int]


def schedule_of(
    quantized: QuantizedModel, rows: Rows, shapes: dict[str, tuple[int, int]], timesteps: tuple[int, ...]
) -> Schedule:
    """What the block linears of one image do, step by step.

    Args:
        quantized: the model.
        rows: block linear to rows M that one image's forward pass feeds it.
        shapes: block linear to (N, K).
        timesteps: those that the sampler visits.
    """
    steps = Counter(_layers(quantized.phase_at(t), rows, shapes) for t in timesteps)
    return Schedule(
        len(quantized.phases), [StepsWork(count, list(layers)) for layers, count in steps.items()]
    )


def _layers(phase: Phase, rows: Rows, shapes: dict[str, tuple[int, int]]) -> tuple[LayerWork, ...]:
    programs: dict[str, Program] = {program.name: program for program in phase.programs}
    return tuple(_work(name, rows[name], shape, programs.get(name)) for name, shape in shapes.items())


def _work(name: str, rows: int, shape: tuple[int, int], program: Program | None) -> LayerWork:
    bits = HOST_BITS if program is None else program.operand_bits
    array = program if isinstance(program, LayerProgram) else None
    return LayerWork(
        name=name,
        rows=rows,
        n=shape[0],
        k=shape[1],
        kind=HOST if program is None else type(program).__name__,
        activation_bits=bits.activation,
        weight_bits=bits.weight,
        passes=bits.passes,
        activation_fmt=array.act_fmt if array else None,
        weight_fmt=array.weight_fmt if array else None,
        static=array is not None and array.static is not None,
    )


def price(schedule: Schedule, config: ArrayConfig, units: UnitCosts) -> Price:
    """Price of the block linears of one image.

    Energies are those of Gaussian data, of two's complement nibbles where an operand is wider than 4 bits.

    Args:
        schedule: what they do.
        config: the machine.
        units: its characterized unit costs.
    """
    every = [(work.steps, layer) for work in schedule.work for layer in work.layers]
    by_parameter = [(steps * layer.n * layer.k, layer) for steps, layer in every]
    by_mac = [(steps * layer.rows * layer.n * layer.k, layer) for steps, layer in every]
    unpriced = sorted({layer.kind for _, layer in every} - {ARRAY})
    passes = cycles = energy = None
    if not unpriced:
        passes = _mean([(weight, layer.passes or 0) for weight, layer in by_mac])
        cycles, band = 0, Band(0.0, 0.0, 0.0)
        for work in schedule.work:
            total = total_cost(estimate([_layer(layer) for layer in work.layers], config, units), config)
            cycles, band = cycles + total.cycles * work.steps, band + total.energy_pj * work.steps
        energy = Energy(band.low, band.mid, band.high)
    return Price(
        weight_bits_parameter=_mean([(weight, layer.weight_bits) for weight, layer in by_parameter]),
        activation_bits_parameter=_mean([(weight, layer.activation_bits) for weight, layer in by_parameter]),
        weight_bits_mac=_mean([(weight, layer.weight_bits) for weight, layer in by_mac]),
        activation_bits_mac=_mean([(weight, layer.activation_bits) for weight, layer in by_mac]),
        passes=passes,
        cycles=cycles,
        energy_pj=energy,
        phases=schedule.phases,
        note=f"no unit costs for {', '.join(unpriced)}" if unpriced else "",
    )


def _mean(weighted: list[tuple[int, int]]) -> float:
    return sum(weight * value for weight, value in weighted) / sum(weight for weight, _ in weighted)


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
            passes=layer.passes or 1,
            static=layer.static,
        ),
    )
