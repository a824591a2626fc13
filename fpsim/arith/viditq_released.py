"""The arithmetic of ViDiT-Q's released CUDA kernels for W8A8, with asymmetric weights.

Source: thu-nics/ViDiT-Q, kernels/csrc/fused/fused.cu and kernels/csrc/qgemm/w8a8/w8a8_gemm_cuda.cu @461a335.
The scale that a row is divided by is not the one that it is multiplied with afterwards: the first is the
unrounded float32 127 / amax, the second is kept in FP16. The sum of a row that the zero points need is that
of its quantized values, rounded to FP16.

Where the source leaves a choice to the compiler (fused multiply-adds in the epilogue), every operation here
rounds by itself: our reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from fpsim.arith.cast import encode
from fpsim.arith.checks import check_int
from fpsim.formats import get

FP16, FP32 = get("fp16"), get("fp32")
TOP = 127


class QuantizedRow(NamedTuple):
    """A row as the GEMM takes it.

    Attributes:
        codes: −128 to 127.
        scale: FP16 bits, FP16(FP32(amax / 127)).
        total: FP16 bits of the sum of the quantized row.
    """

    codes: list[int]
    scale: int
    total: int


def quantize_row(row: Sequence[int]) -> QuantizedRow:
    """Quantize an FP16 row.

    inverse = FP32(127 / amax); code = RNE(FP32(x · inverse)), saturated to int8; total = FP16(FP32(Σ code /
    inverse)), an infinity beyond 65504. A row of zeros: all 0.

    Args:
        row: FP16 bits, finite, at least one and at most 2^17 (so that Σ code is an FP32 number).
    """
    values = []
    for i, bits in enumerate(row):
        check_int(f"row[{i}]", bits, 0, FP16.n_codes - 1)
        value = FP16.value(bits)
        if isinstance(value, str):
            raise ValueError(f"row[{i}]=0x{bits:04x}: expected a finite number")
        values.append(value)
    amax = max(abs(value) for value in values)
    if amax == 0:
        return QuantizedRow([0] * len(values), 0, 0)
    inverse = _fp32(TOP / amax)
    codes = [min(max(round(_fp32(x * inverse)), -TOP - 1), TOP) for x in values]  # round: ties to even
    scale = encode(_fp32(amax / TOP), FP16, overflow="inf")
    return QuantizedRow(codes, scale, encode(_fp32(sum(codes) / inverse), FP16, overflow="inf"))


def released_dot(
    row: QuantizedRow, weights: Sequence[int], weight_scale: int, weight_zero: int, bias: int
) -> int:
    """One output: FP16(((FP32(Σ ab) · sa) · sb + (total · zb) · sb) + bias), every operation FP32.

    Args:
        row: from `quantize_row`, its total finite.
        weights: int8 codes; a weight is worth (code + weight_zero) · weight_scale.
        weight_scale: FP16 bits, finite.
        weight_zero: int16.
        bias: FP16 bits, finite.

    Returns:
        FP16 bits; an infinity beyond 65504, as the conversion of the kernel gives it. A zero is +0.
    """
    check_int("weight_zero", weight_zero, -(1 << 15), (1 << 15) - 1)
    scales = _fp16("scale", row.scale), _fp16("weight_scale", weight_scale)
    dot = sum(x * w for x, w in zip(row.codes, weights, strict=True))
    products = _fp32(_fp32(_fp32(Fraction(dot)) * scales[0]) * scales[1])
    correction = _fp32(_fp32(_fp16("total", row.total) * weight_zero) * scales[1])
    total = _fp32(_fp32(products + correction) + _fp16("bias", bias))
    return encode(total, FP16, overflow="inf")


def _fp16(name: str, bits: int) -> Fraction:
    check_int(name, bits, 0, FP16.n_codes - 1)
    value = FP16.value(bits)
    if isinstance(value, str):
        raise ValueError(f"{name}=0x{bits:04x}: expected a finite number, this is {value}")
    return value


def _fp32(x: Fraction) -> Fraction:
    value = FP32.value(encode(x, FP32))
    assert isinstance(value, Fraction)
    return value
