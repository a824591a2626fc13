"""What a quantized model does per image, step by step, read off its programs, for whoever costs it."""

from __future__ import annotations

from collections import Counter

from fpsim.array.block import BlockProgram, block_recipe
from fpsim.array.grouped import GroupedProgram
from fpsim.array.program import LayerProgram
from fpsim.array.protocol import OperandBits, Program
from fpsim.array.released import ReleasedProgram
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.report.methods import LayerWork, Schedule, StepsWork

HOST = "FP32"  # the kind of a layer without a program
HOST_BITS = OperandBits(32, 32, None)

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
        rotated=isinstance(program, LayerProgram | BlockProgram) and program.signs is not None,
        zero_points=_has_zero_points(program),
        group=_group(program),
    )


def _has_zero_points(program: Program | None) -> bool:
    if isinstance(program, LayerProgram):
        return program.act_zero is not None or program.weight_zero is not None
    return isinstance(program, GroupedProgram | ReleasedProgram)


def _group(program: Program | None) -> int | None:
    if isinstance(program, BlockProgram):
        return block_recipe(program.act_recipe).block_size
    return program.group if isinstance(program, GroupedProgram) else None
