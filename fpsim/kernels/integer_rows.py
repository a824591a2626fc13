"""The input side of a layer whose activations are integers of 4, 6 or 8 bits, zero points or not."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fpsim.formats import Format
from fpsim.kernels import _check
from fpsim.kernels.align import align
from fpsim.kernels.hadamard import check_size, hadamard_blocks
from fpsim.kernels.integer_quantizer import integer_format, integer_quantizer, zero_points
from fpsim.kernels.quantizer import amax
from fpsim.kernels.row_scale import amplitude, row_scale

_BLOCK = 1 << 18  # elements whose integers are held at a time: they stay in the second-level cache


class IntegerRows(NamedTuple):
    """M coded rows.

    Attributes:
        codes: (M, K) uint8, two's complement.
        row_scale: (M,) uint32, TF32 codes.
        zeros: (M,) int32, the code of each row that stands for 0; 0 without zero points.
        special: (M,) bool, the row holds an Inf or NaN.
    """

    codes: NDArray[np.uint8]
    row_scale: NDArray[np.uint32]
    zeros: NDArray[np.int32]
    special: NDArray[np.bool_]


def quantize_integer_rows(
    x_bits: NDArray[np.uint16],
    *,
    guard_bits: int,
    hadamard_n: int | None,
    signs: NDArray[np.int8] | None,
    fmt: str | Format,
    zero: int | Literal["row"] | None = None,
    static: tuple[int, int] | None = None,
) -> IntegerRows:
    """FP16 rows to integer codes and row scales: `align`, `hadamard_blocks`, amplitude or span, `row_scale`
    and `integer_quantizer`. Rows are independent.

    Args:
        x_bits: FP16 bits, (M, K) uint16.
        guard_bits: 0 to 8.
        hadamard_n: block size as in `hadamard_blocks` with (2^(11 + guard_bits) - 1) · n <= 2^29; None: no
            rotation.
        signs: (K,) int8 of ±1 before the rotation, or None; only with a rotation.
        fmt: int4, int6 or int8.
        zero: None: codes are symmetric. "row": each row is coded between its smallest and its largest value
            (0 among them), around a zero point of its own. A number: the zero point of a static scale.
        static: (row exponent 1 to 30, amplitude or span of at most 11 significant bits), or None: from each
            row.

    Raises:
        ValueError: an argument outside of the above.
    """
    bits = _check.array("x_bits", x_bits, "uint16", 2)
    guard = _check.integer("guard_bits", guard_bits, 0, _check.GUARD_BITS_MAX)
    form = integer_format("fmt", fmt)
    _check_rotation(hadamard_n, signs, guard, bits.shape[1])
    if static is None and not (zero is None or zero == "row"):
        raise ValueError(f"zero={zero!r}: expected None or 'row' with a dynamic scale")
    if static is not None:
        _check.static_scale(static)
        if zero is not None:
            _check.integer("zero", zero, -form.n_codes // 2, form.n_codes // 2 - 1)
    count, depth = bits.shape
    out = IntegerRows(
        np.empty(bits.shape, np.uint8),
        np.empty(count, np.uint32),
        np.zeros(count, np.int32),
        np.empty(count, np.bool_),
    )
    step = max(_BLOCK // max(depth, 1), 1)
    for start in range(0, count, step):
        rows = slice(start, start + step)
        ints, exps, out.special[rows] = align(bits[rows], guard, None if static is None else static[0])
        h = ints if hadamard_n is None else hadamard_blocks(ints, hadamard_n, signs)
        if static is not None:
            amp = np.full(len(h), static[1], np.int32)
            out.zeros[rows] = 0 if zero is None else zero
        elif zero is None:
            amp = amplitude(amax(h))
        else:
            low = h.min(axis=1, initial=0)
            amp = amplitude(h.max(axis=1, initial=0) - low)
            out.zeros[rows] = zero_points(low, amp, form)
        out.row_scale[rows] = row_scale(amp, exps, guard)
        out.codes[rows] = integer_quantizer(h, amp, form, None if zero is None else out.zeros[rows])
    return out


def _check_rotation(
    hadamard_n: int | None, signs: NDArray[np.int8] | None, guard: int, length_k: int
) -> None:
    if hadamard_n is None:
        if signs is not None:
            raise ValueError("signs: expected None without a rotation (hadamard_n=None)")
        return
    size, _ = check_size("hadamard_n", hadamard_n, length_k)
    if ((1 << (11 + guard)) - 1) * size > _check.AMPLITUDE_MAX // 2:  # a span is two amplitudes wide
        raise ValueError(f"hadamard_n={size}: expected (2^(11 + guard_bits) - 1) * n <= 2^29")
    _check.signs_vector(signs, length_k)
