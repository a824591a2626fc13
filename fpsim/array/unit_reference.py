"""The layers of the units beside the array by the law, one row at a time: slow, and the judge."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fpsim.arith.block_row import block_row
from fpsim.arith.dot_block import dot_block
from fpsim.arith.dot_group import Side, dot_group
from fpsim.arith.dot_product import dot_product
from fpsim.arith.epilogue_float import scaled_to_fp16, sum_to_fp16
from fpsim.arith.float32 import single
from fpsim.arith.group_row import group_row
from fpsim.arith.nv_block import tensor_scale
from fpsim.arith.viditq_released import quantize_row, released_dot
from fpsim.array.block import BlockProgram, block_recipe
from fpsim.array.config import UnitConfig
from fpsim.array.grouped import GroupedProgram
from fpsim.array.half import HalfProgram
from fpsim.array.released import ReleasedProgram
from fpsim.formats import Accumulator
from fpsim.formats.tensor_recipes import MxRecipe

UnitProgram = BlockProgram | GroupedProgram | HalfProgram | ReleasedProgram


def row_by_law(program: UnitProgram, unit: UnitConfig, x: list[int]) -> list[int]:
    """FP16 bits (N) of one FP16 row (K bit patterns, finite)."""
    program.check(unit)
    if isinstance(program, BlockProgram):
        return _block(program, unit, x)
    if isinstance(program, GroupedProgram):
        return _grouped(program, x)
    if isinstance(program, HalfProgram):
        acc = Accumulator.sequential("fp32")
        return [
            sum_to_fp16(dot_product(x, weights, "fp16", "fp16", acc), bias)
            for weights, bias in zip(program.weight.tolist(), program.bias.tolist(), strict=True)
        ]
    row = quantize_row(x)
    columns = zip(
        program.weight_codes.tolist(),
        program.weight_scales.tolist(),
        program.weight_zeros.tolist(),
        program.bias.tolist(),
        strict=True,
    )
    return [released_dot(row, *column) for column in columns]


def _block(program: BlockProgram, unit: UnitConfig, x: list[int]) -> list[int]:
    act, weight = block_recipe(program.act_recipe), block_recipe(program.weight_recipe)
    amax = None if program.act_amax is None else Fraction(float(np.float32(program.act_amax)))
    scales, codes = block_row(
        x,
        act,
        guard_bits=unit.guard_bits,
        signs=None if program.signs is None else [int(s) for s in program.signs],
        hadamard_n=program.rotation(unit) or 1,
        amax=amax,
    )
    scale = Fraction(program.weight_tensor_scale)
    if not isinstance(act, MxRecipe):
        assert amax is not None
        scale *= tensor_scale(amax, act).decode
    rounded = single(scale)
    scale_bits = int(np.float32(float(rounded)).view(np.uint32))
    columns = zip(
        program.weight_codes.tolist(), program.weight_scales.tolist(), program.bias.tolist(), strict=True
    )
    return [
        scaled_to_fp16(
            dot_block(
                codes,
                own,
                scales,
                own_scales,
                a_fmt=act.element,
                b_fmt=weight.element,
                scale_fmt=act.scale,
                block=act.block_size,
            ),
            scale_bits,
            bias,
        )
        for own, own_scales, bias in columns
    ]


def _grouped(program: GroupedProgram, x: list[int]) -> list[int]:
    group = program.group
    row = [Side(*part) for part in group_row(x, program.act_bits, group)]
    columns = zip(
        program.weight_codes.tolist(),
        program.weight_zeros.tolist(),
        program.weight_scales.tolist(),
        program.bias.tolist(),
        strict=True,
    )
    return [
        sum_to_fp16(
            dot_group(
                row,
                [
                    Side(codes[i * group : (i + 1) * group], zero, scale)
                    for i, (zero, scale) in enumerate(zip(zeros, scales, strict=True))
                ],
            ),
            bias,
        )
        for codes, zeros, scales, bias in columns
    ]
