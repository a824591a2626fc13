"""A layer of integers in groups along K, each under its own scales, as GPU kernels add it up.

The grid of Q-DiT (arXiv 2406.17343): asymmetric codes, a scale and a zero point per group of a row and of an
output channel. Scales in FP16, the order and the roundings of the sums, and a range that always holds 0 are
ours (the released code, Juanerx/Q-DiT @5067d11 qdit/quant.py, computes fake quantization in float, and
clamps the zero point instead).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import UnitConfig
from fpsim.array.fields import check_array, check_finite_fp16, check_matrix
from fpsim.array.protocol import FloatRun, OperandBits, Run
from fpsim.array.uniform import refuse_special
from fpsim.kernels.block_rows import special_rows
from fpsim.kernels.dot_group import LEVEL_MAX, dot_group, longest_group
from fpsim.kernels.epilogue_float import sum_to_fp16
from fpsim.kernels.group_rows import SMALLEST_SPAN, group_rows

MOST_BITS = 8


@dataclass(frozen=True, eq=False)
class GroupedProgram:
    """y = FP16(FP32(acc + b)), acc ← FP32(acc + FP32(FP32(dot · sa) · sw)) over the groups in order.

    Attributes:
        name: the layer's name in its model.
        act_bits: bits of an activation code, 2 to 8; rows are quantized per group on arrival.
        weight_bits: bits of a weight code, 2 to 8.
        group: elements under one scale, 1 to 258; a last group may be shorter. G = ceil(K / group).
        weight_codes: uint8 (N, K), 0 to 2^weight_bits − 1.
        weight_zeros: uint8 (N, G), the code of 0.
        weight_scales: uint16 (N, G), FP16 bits, positive, finite.
        bias: uint16 (N,), FP16 bits, finite.
    """

    name: str
    act_bits: int
    weight_bits: int
    group: int
    weight_codes: NDArray[np.uint8]
    weight_zeros: NDArray[np.uint8]
    weight_scales: NDArray[np.uint16]
    bias: NDArray[np.uint16]

    def __post_init__(self) -> None:
        for field, value, most in (
            ("act_bits", self.act_bits, MOST_BITS),
            ("weight_bits", self.weight_bits, MOST_BITS),
            ("group", self.group, longest_group(LEVEL_MAX, LEVEL_MAX)),
        ):
            least = 1 if field == "group" else 2
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ValueError(f"{field}={value!r}: expected an integer from {least} to {most}")
        n, k = check_matrix("weight_codes", self.weight_codes, np.uint8)
        groups = (n, -(-k // self.group))
        check_array("weight_zeros", self.weight_zeros, np.uint8, groups)
        check_array("weight_scales", self.weight_scales, np.uint16, groups)
        check_array("bias", self.bias, np.uint16, (n,))
        check_finite_fp16("bias", self.bias)
        check_finite_fp16("weight_scales", self.weight_scales)
        if ((self.weight_scales == 0) | (self.weight_scales >= 0x8000)).any():
            raise ValueError("weight_scales: expected positive FP16 bits")
        top = (1 << self.weight_bits) - 1
        for field, codes in (("weight_codes", self.weight_codes), ("weight_zeros", self.weight_zeros)):
            if codes.size and int(codes.max()) > top:
                raise ValueError(f"{field} holds {int(codes.max())}: expected 0 to {top}")

    @property
    def shape(self) -> tuple[int, int]:
        """(N, K): output and input channels."""
        n, k = self.weight_codes.shape
        return n, k

    @property
    def operand_bits(self) -> OperandBits:
        """Widths of the codes; the array has no scales inside a sum, so another unit multiplies."""
        return OperandBits(self.act_bits, self.weight_bits, None)

    def check(self, unit: UnitConfig) -> None:
        """Any machine has the unit."""

    def _levels(self) -> NDArray[np.float32]:
        """float32 (N, K): code − zero."""
        zeros = np.repeat(self.weight_zeros, self.group, axis=1)[:, : self.shape[1]]
        return self.weight_codes.astype(np.float32) - zeros.astype(np.float32)

    def load(self, unit: UnitConfig) -> Run:
        """The layer as the machine runs it; a row's result depends on the row."""
        by_k = np.ascontiguousarray(self._levels().T)
        scales = np.ascontiguousarray(self.weight_scales.view(np.float16).astype(np.float32).T)

        def run(x: NDArray[np.uint16]) -> NDArray[np.uint16]:
            refuse_special(self.name, special_rows(x))
            rows = group_rows(x, self.act_bits, self.group)
            return sum_to_fp16(dot_group(rows.levels, rows.scales, by_k, scales, self.group), self.bias)

        return run

    def fake(self, unit: UnitConfig) -> FloatRun:
        """The same recipe in float32: scales unrounded, dequantized operands, one float GEMM."""
        k = self.shape[1]
        scales = self.weight_scales.view(np.float16).astype(np.float32)
        weights = self._levels() * np.repeat(scales, self.group, axis=1)[:, :k]
        bias = self.bias.view(np.float16).astype(np.float32)
        top = np.float32((1 << self.act_bits) - 1)
        starts = np.arange(0, k, self.group)
        sizes = np.diff([*starts, k])

        def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
            high = np.maximum(np.maximum.reduceat(x, starts, axis=1), 0)
            low = np.minimum(np.minimum.reduceat(x, starts, axis=1), 0)
            step = np.maximum(high - low, SMALLEST_SPAN) / top
            zero = np.minimum(np.rint(-low / step), top)
            steps, zeros = np.repeat(step, sizes, axis=1), np.repeat(zero, sizes, axis=1)
            codes = np.clip(np.rint(x / steps) + zeros, 0, top)
            y: NDArray[np.float32] = ((codes - zeros) * steps) @ weights.T + bias
            return y

        return run
