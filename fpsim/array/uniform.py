"""The array's own datapath: rows to codes, exact sums, one rounding; and its imitation in float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import UnitConfig
from fpsim.array.protocol import FloatRun, Run
from fpsim.formats import Format, get
from fpsim.kernels.cast import decode, encode
from fpsim.kernels.decode import decode_operand
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.linear import linear
from fpsim.kernels.prepared import Prepared
from fpsim.kernels.rows import quantize_rows

if TYPE_CHECKING:  # the program loads itself through this module
    from fpsim.array.program import LayerProgram

_TF32_TO_FLOAT32 = 13  # bits below a TF32 significand


def load(program: LayerProgram, unit: UnitConfig) -> Run:
    """The layer on the kernels, align to epilogue (rtl/README.md); a row's result depends on the row."""
    weights = Prepared(program.weight_codes, program.weight_fmt)
    static = None if program.static is None else (program.static.exp, program.static.amp)

    def run(x: NDArray[np.uint16]) -> NDArray[np.uint16]:
        codes, row_scale, special = quantize_rows(
            x,
            guard_bits=unit.guard_bits,
            hadamard_n=program.rotation(unit),
            signs=program.signs,
            fmt=program.act_fmt,
            static=static,
        )
        refuse_special(program.name, special)
        rows = Prepared(codes, program.act_fmt)
        return linear(rows, weights, unit.acc_bits, row_scale, program.col_scale, program.bias)

    return run


def refuse_special(name: str, special: NDArray[np.bool_]) -> None:
    """Raise ValueError naming the first row that holds an Inf or a NaN."""
    if special.any():
        row = int(np.flatnonzero(special)[0])
        raise ValueError(f"{name}: row {row} of x has an Inf or a NaN; the machine refuses such rows")


def fake(program: LayerProgram, unit: UnitConfig) -> FloatRun:
    """The layer in float32: same codes up to rounding at a boundary, no FP16, no fixed point."""
    act, weight = get(program.act_fmt), get(program.weight_fmt)
    top = np.float32(act.max_value / act.step)
    n = program.rotation(unit) or 1
    gain = top * np.sqrt(np.float32(n))
    scales = (program.col_scale << np.uint32(_TF32_TO_FLOAT32)).view(np.float32)
    weights = decode_operand(program.weight_codes, weight) * (scales * gain)[:, None]
    bias = program.bias.view(np.float16).astype(np.float32)
    rotation = None if program.signs is None else rotation_matrix(n, program.signs)
    static = None if program.static is None else program.static.value(unit.guard_bits)

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = x if rotation is None else rotate_float(x, rotation)
        largest = np.abs(rows).max(axis=1, keepdims=True)
        if static is not None:
            largest = np.full_like(largest, static)
        step: NDArray[np.float32] = np.where(largest > 0, largest, top).astype(np.float32) / top
        y: NDArray[np.float32] = nearest(rows / step, act) * step @ weights.T + bias
        return y

    return run


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
