"""The same layer by the law, unit by unit, with every intermediate value kept: slow, and the judge."""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.arith.align import align
from fpsim.arith.decode import decode
from fpsim.arith.epilogue import epilogue
from fpsim.arith.hadamard import hadamard
from fpsim.arith.integer_quantizer import integer_quantizer, integer_value, zero_point
from fpsim.arith.passes import passes_array
from fpsim.arith.quantizer import quantizer
from fpsim.arith.row_scale import amplitude, row_scale
from fpsim.arith.zero_sums import without_zeros
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.array.program import LayerProgram


@dataclass(frozen=True)
class RowTrace:
    """What one FP16 row becomes on its way to the array.

    Attributes:
        x: FP16 bits (K).
        exp: row exponent.
        aligned: integers after alignment (K).
        rotated: integers after the Hadamard engine (K).
        amax: largest magnitude of `rotated`, where rows have zero points its width (0 among the elements), or
            the amplitude register where the scale is static.
        amp: amplitude.
        row_scale: TF32 bits.
        codes: activation codes (K).
        zero: the code that stands for 0; 0 where rows have no zero points.
    """

    x: list[int]
    exp: int
    aligned: list[int]
    rotated: list[int]
    amax: int
    amp: int
    row_scale: int
    codes: list[int]
    zero: int = 0


@dataclass(frozen=True)
class TileTrace:
    """One tile: R rows against C columns.

    Attributes:
        rows: the rows' traces (R).
        weights: weight codes (C, K).
        acc: accumulators (R, C) after the last pass.
        sums: the same without zero points (R, C), what the epilogue takes.
        y: FP16 bits (R, C).
    """

    rows: list[RowTrace]
    weights: list[list[int]]
    acc: list[list[int]]
    sums: list[list[int]]
    y: list[list[int]]


def trace_row(config: ArrayConfig, program: LayerProgram, x: list[int]) -> RowTrace:
    """Follow one FP16 row (K bit patterns, finite) through align, hadamard, row_scale and quantizer."""
    unit = config.unit
    static = program.static
    aligned = align(x, unit.guard_bits, static.exp if static else None)
    if aligned.special:
        raise ValueError(f"x: the row for {program.name} has an Inf or a NaN")
    rotated = aligned.ints
    n = program.rotation(unit)
    if program.signs is not None and n is not None:
        signs = [int(s) for s in program.signs]
        rotated = [
            value
            for start in range(0, len(x), n)
            for value in hadamard(aligned.ints[start : start + n], signs[start : start + n])
        ]
    amax, zero = _amax_and_zero(program, rotated)
    amp = amplitude(amax)
    return RowTrace(
        x=x,
        exp=aligned.exp,
        aligned=aligned.ints,
        rotated=rotated,
        amax=amax,
        amp=amp,
        row_scale=row_scale(amp, aligned.exp, unit.guard_bits),
        codes=_codes(program, rotated, amp, zero),
        zero=0 if zero is None else zero,
    )


def _amax_and_zero(program: LayerProgram, rotated: list[int]) -> tuple[int, int | None]:
    """What the amplitude is rounded from, and the row's zero point if it has one."""
    if program.act_zero == "row":
        low = min(0, *rotated)
        span = max(0, *rotated) - low
        return span, zero_point(low, amplitude(span), program.act_fmt)
    amax = program.static.amp if program.static else max(abs(h) for h in rotated)
    return amax, program.act_zero


def _codes(program: LayerProgram, rotated: list[int], amp: int, zero: int | None) -> list[int]:
    if zero is None and program.act_fmt in OPERAND_FORMATS:
        return [quantizer(h, amp, program.act_fmt) for h in rotated]
    return [integer_quantizer(h, amp, program.act_fmt, zero) for h in rotated]


def trace_tile(config: ArrayConfig, program: LayerProgram, x: list[list[int]], first_col: int) -> TileTrace:
    """Run one tile by the law.

    Args:
        config: the machine.
        program: the layer.
        x: FP16 bit patterns (R, K) of at most `config.rows` rows.
        first_col: first output channel; the tile has the next `config.cols`, or fewer at the edge.
    """
    program.check(config.unit)
    rows = [trace_row(config, program, row) for row in x]
    cols = range(first_col, min(first_col + config.cols, program.shape[0]))
    weights = [[int(code) for code in program.weight_codes[c]] for c in cols]
    acc = passes_array(
        [row.codes for row in rows],
        weights,
        program.act_fmt,
        program.weight_fmt,
        config.unit.acc_bits,
        config.unit.overflow,
    )
    sums = acc
    if program.act_zero is not None or program.weight_zero is not None:
        sums = [
            [_corrected(program, value, row, c) for value, c in zip(values, cols, strict=True)]
            for values, row in zip(acc, rows, strict=True)
        ]
    y = [
        [
            epilogue(value, row.row_scale, int(program.col_scale[c]), int(program.bias[c]))
            for value, c in zip(values, cols, strict=True)
        ]
        for values, row in zip(sums, rows, strict=True)
    ]
    return TileTrace(rows, weights, acc, sums, y)


def _corrected(program: LayerProgram, acc: int, row: RowTrace, col: int) -> int:
    """One accumulator without zero points."""
    return without_zeros(
        acc,
        row_sum=sum(_units(code, program.act_fmt) for code in row.codes),
        col_sum=sum(_units(int(code), program.weight_fmt) for code in program.weight_codes[col]),
        depth=len(row.codes),
        act_zero=row.zero,
        weight_zero=0 if program.weight_zero is None else int(program.weight_zero[col]),
    )


def _units(code: int, fmt: str) -> int:
    return decode(code, fmt).value if fmt in OPERAND_FORMATS else integer_value(code, fmt)
