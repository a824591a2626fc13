"""What a quantized model costs per image: widths, passes and cycles counted, energy estimated."""

from __future__ import annotations

from collections import Counter

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.array.protocol import OperandBits, Program
from fpsim.estimate import Band, Layer, Operands, UnitCosts, estimate, total_cost
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.report.data import Energy
from fpsim.report.methods import Price

HOST_BITS = OperandBits(32, 32, None)  # a layer without a program runs in FP32
NIBBLES = "int4"  # whose unit energies 8-bit operands are charged with, pass by pass

Rows = dict[str, int]


def price(
    quantized: QuantizedModel,
    rows: Rows,
    shapes: dict[str, tuple[int, int]],
    timesteps: tuple[int, ...],
    config: ArrayConfig,
    units: UnitCosts,
) -> Price:
    """Price of the block linears of one image.

    Energies are those of Gaussian data, of two's complement nibbles where an operand is wider than 4 bits.

    Args:
        quantized: the model.
        rows: block linear to rows M that one image's forward pass feeds it.
        shapes: block linear to (N, K).
        timesteps: those that the sampler visits.
        config: the machine.
        units: its characterized unit costs.
    """
    phases = [quantized.phase_at(t) for t in timesteps]
    bits = _mean_bits(phases, rows, shapes)
    unpriced = {name for phase in phases for name in _unpriced(phase, shapes)}
    note = f"no unit in the RTL runs {', '.join(sorted(unpriced))}" if unpriced else ""
    passes = cycles = energy = None
    if not unpriced:
        passes = _weighted_passes(phases, rows, shapes)
        cycles, band = 0, Band(0.0, 0.0, 0.0)
        for index, times in Counter(map(id, phases)).items():
            phase = next(phase for phase in phases if id(phase) == index)
            layers = [_layer(program, rows[program.name]) for program in phase.programs]
            total = total_cost(estimate(layers, config, units), config)
            cycles, band = cycles + total.cycles * times, band + total.energy_pj * times
        energy = Energy(band.low, band.mid, band.high)
    return Price(*bits, passes, cycles, energy, len(quantized.phases), note)


def _mean_bits(
    phases: list[Phase], rows: Rows, shapes: dict[str, tuple[int, int]]
) -> tuple[float, float, float, float]:
    """Weight and activation bits by parameter, then by multiply-accumulate, over all phases given."""
    sums = [0.0] * 4
    parameters = macs = 0
    for phase in phases:
        programs = {program.name: program for program in phase.programs}
        for name, (n, k) in shapes.items():
            found = programs[name].operand_bits if name in programs else HOST_BITS
            parameters += n * k
            macs += rows[name] * n * k
            for i, (width, weight) in enumerate(
                (
                    (found.weight, n * k),
                    (found.activation, n * k),
                    (found.weight, rows[name] * n * k),
                    (found.activation, rows[name] * n * k),
                )
            ):
                sums[i] += width * weight
    return sums[0] / parameters, sums[1] / parameters, sums[2] / macs, sums[3] / macs


def _weighted_passes(phases: list[Phase], rows: Rows, shapes: dict[str, tuple[int, int]]) -> float:
    macs = passes = 0
    for phase in phases:
        for program in phase.programs:
            n, k = shapes[program.name]
            macs += rows[program.name] * n * k
            passes += (program.operand_bits.passes or 0) * rows[program.name] * n * k
    return passes / macs


def _unpriced(phase: Phase, shapes: dict[str, tuple[int, int]]) -> set[str]:
    """What the array does not run: names of program kinds, "FP32" for layers without a program."""
    kinds = {type(p).__name__ for p in phase.programs if not isinstance(p, LayerProgram)}
    return kinds | ({"FP32"} if len(phase.programs) < len(shapes) else set())


def _layer(program: Program, rows: int) -> Layer:
    assert isinstance(program, LayerProgram)
    bits = program.operand_bits
    narrow = [
        fmt
        for fmt, width in ((program.weight_fmt, bits.weight), (program.act_fmt, bits.activation))
        if width == 4
    ]
    wide = len(narrow) < 2
    n, k = program.shape
    return Layer(
        program.name,
        m=rows,
        n=n,
        k=k,
        operands=Operands(
            fmt=NIBBLES if wide else narrow[0],
            activation_bits=bits.activation,
            weight_bits=bits.weight,
            passes=bits.passes or 1,
            static=program.static is not None,
        ),
    )
