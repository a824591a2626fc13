"""The array's own datapath: rows to codes, exact sums, one rounding; and its imitation in float."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import OPERAND_FORMATS, UnitConfig
from fpsim.array.protocol import FloatRun, Run
from fpsim.formats import Format, get
from fpsim.kernels.cast import decode, encode
from fpsim.kernels.decode import decode_operand
from fpsim.kernels.epilogue import epilogue
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.integer_rows import IntegerRows, quantize_integer_rows
from fpsim.kernels.linear import linear
from fpsim.kernels.mac_array import mac_array_decoded
from fpsim.kernels.prepared import Prepared
from fpsim.kernels.rows import quantize_rows
from fpsim.kernels.zero_sums import code_sums, without_zeros

if TYPE_CHECKING:  # the program loads itself through this module
    from fpsim.array.program import LayerProgram

_TF32_TO_FLOAT32 = 13  # bits below a TF32 significand


def load(program: LayerProgram, unit: UnitConfig) -> Run:
    """The layer on the kernels, align to epilogue (rtl/README.md); a row's result depends on the row.

    Passes of nibbles add up to the product of the whole codes modulo 2^acc_bits, so the kernels multiply
    whole codes.
    """
    weights = Prepared(program.weight_codes, program.weight_fmt)
    code_rows = _row_coder(program, unit)
    zeros = _Zeros.of(program)

    def run(x: NDArray[np.uint16]) -> NDArray[np.uint16]:
        codes, row_scale, act_zero, special = code_rows(x)
        refuse_special(program.name, special)
        rows = Prepared(codes, program.act_fmt)
        if zeros is None and unit.overflow == "wrap":
            return linear(rows, weights, unit.acc_bits, row_scale, program.col_scale, program.bias)
        acc = mac_array_decoded(
            rows, weights, program.act_fmt, program.weight_fmt, unit.acc_bits, unit.overflow
        )
        if zeros is None:
            return epilogue(acc, row_scale, program.col_scale, program.bias)
        sums = without_zeros(
            acc,
            depth=codes.shape[1],
            row_sums=code_sums(codes, program.act_fmt),
            col_sums=zeros.col_sums,
            act_zero=act_zero,
            weight_zero=zeros.weight_zero,
        )
        return epilogue(sums, row_scale, program.col_scale, program.bias)

    return run


def _row_coder(program: LayerProgram, unit: UnitConfig) -> Callable[[NDArray[np.uint16]], IntegerRows]:
    """FP16 rows to codes, row scales and zero points; 4-bit codes without zero points in one pass."""
    static = None if program.static is None else (program.static.exp, program.static.amp)
    narrow = program.act_zero is None and program.act_fmt in OPERAND_FORMATS

    def code(x: NDArray[np.uint16]) -> IntegerRows:
        if not narrow:
            return quantize_integer_rows(
                x,
                guard_bits=unit.guard_bits,
                hadamard_n=program.rotation(unit),
                signs=program.signs,
                fmt=program.act_fmt,
                zero=program.act_zero,
                static=static,
            )
        codes, row_scale, special = quantize_rows(
            x,
            guard_bits=unit.guard_bits,
            hadamard_n=program.rotation(unit),
            signs=program.signs,
            fmt=program.act_fmt,
            static=static,
        )
        return IntegerRows(codes, row_scale, np.zeros(len(x), np.int32), special)

    return code


@dataclass(frozen=True, eq=False)
class _Zeros:
    """What corrects a layer with zero points: those of the weights, and the sums of their codes."""

    weight_zero: NDArray[np.int16]
    col_sums: NDArray[np.int64]

    @classmethod
    def of(cls, program: LayerProgram) -> _Zeros | None:
        if program.act_zero is None and program.weight_zero is None:
            return None
        none = np.zeros(program.shape[0], np.int16)
        return cls(
            none if program.weight_zero is None else program.weight_zero,
            code_sums(program.weight_codes, program.weight_fmt),
        )


def refuse_special(name: str, special: NDArray[np.bool_]) -> None:
    """Raise ValueError naming the first row that holds an Inf or a NaN."""
    if special.any():
        row = int(np.flatnonzero(special)[0])
        raise ValueError(f"{name}: row {row} of x has an Inf or a NaN; the machine refuses such rows")


def fake(program: LayerProgram, unit: UnitConfig) -> FloatRun:
    """The layer in float32: same codes up to rounding at a boundary, no FP16, no fixed point."""
    act = get(program.act_fmt)
    n = program.rotation(unit) or 1
    levels = np.float32(activation_levels(act, asymmetric=program.act_zero is not None))
    gain = levels * np.sqrt(np.float32(n))
    scales = (program.col_scale << np.uint32(_TF32_TO_FLOAT32)).view(np.float32)
    weights = decode_operand(program.weight_codes, program.weight_fmt)
    if program.weight_zero is not None:
        weights -= program.weight_zero[:, None]
    weights *= (scales * gain)[:, None]
    bias = program.bias.view(np.float16).astype(np.float32)
    rotation = None if program.signs is None else rotation_matrix(n, program.signs)
    # Rotated integers are not normalized, these rows are.
    static = None if program.static is None else np.float32(program.static.value(unit.guard_bits) / n**0.5)

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = x if rotation is None else rotate_float(x, rotation)
        if program.act_zero is None:
            values = _fake_symmetric(rows, act, static)
        else:
            values = _fake_asymmetric(rows, act, static, program.act_zero)
        y: NDArray[np.float32] = values @ weights.T + bias
        return y

    return run


def activation_levels(fmt: Format, *, asymmetric: bool) -> int:
    """What the amplitude (with a zero point: the span) of a row is divided by, in units of its codes.

    The largest code: E2M1 12, E3M0 64, E1M2 and INT4 7, INT6 31, INT8 127; with a zero point 2^b - 1.
    """
    return fmt.n_codes - 1 if asymmetric else int(fmt.max_value / fmt.step)


def _fake_symmetric(rows: NDArray[np.float32], fmt: Format, static: np.float32 | None) -> NDArray[np.float32]:
    """Rows rounded to codes of the format, times their step."""
    levels = np.float32(activation_levels(fmt, asymmetric=False))
    largest = np.abs(rows).max(axis=1, keepdims=True)
    if static is not None:
        largest = np.full_like(largest, static)
    step: NDArray[np.float32] = np.where(largest > 0, largest, levels).astype(np.float32) / levels
    units = rows / step
    coded = np.rint(units).clip(-levels, levels) if fmt.kind == "int" else nearest(units, fmt)
    values: NDArray[np.float32] = coded * step
    return values


def _fake_asymmetric(
    rows: NDArray[np.float32], fmt: Format, static: np.float32 | None, act_zero: int | str
) -> NDArray[np.float32]:
    """clamp(round(x / s) + z, 0, 2^b - 1), less z, times s: per row from its extremes, or static."""
    levels = np.float32(activation_levels(fmt, asymmetric=True))
    if static is not None:
        step = np.full((len(rows), 1), static / levels, np.float32)
        zero = np.full((len(rows), 1), int(act_zero) + fmt.n_codes // 2, np.float32)
    else:
        low = rows.min(axis=1, keepdims=True, initial=0)
        span = rows.max(axis=1, keepdims=True, initial=0) - low
        step = np.where(span > 0, span, levels).astype(np.float32) / levels
        zero = np.rint(-low / step)
    values: NDArray[np.float32] = ((np.rint(rows / step) + zero).clip(0, levels) - zero) * step
    return values


def nearest(units: NDArray[np.float32], fmt: Format) -> NDArray[np.float32]:
    """The format's nearest values, in units of its smallest step; larger ones saturate."""
    step = np.float32(float(fmt.step))
    rounded: NDArray[np.float32] = decode(encode(units * step, fmt), fmt) / step
    return rounded


def rotation_matrix(n: int, signs: NDArray[np.int8]) -> NDArray[np.float32]:
    """float32 (K / n, n, n): what each block of a row is multiplied with, from the right, to rotate it."""
    hadamard = hadamard_blocks(np.eye(n, dtype=np.int32), n).astype(np.float32)  # row j: H · e_j
    matrix: NDArray[np.float32] = signs.reshape(-1, n, 1) * hadamard / np.sqrt(np.float32(n))
    return matrix


def rotate_float(x: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (M, K) times block-diagonal (K / n, n, n)."""
    blocks = x.reshape(len(x), len(matrix), -1).transpose(1, 0, 2)
    rotated: NDArray[np.float32] = (blocks @ matrix).transpose(1, 0, 2).reshape(x.shape)
    return rotated
