"""A layer as ViDiT-Q's released CUDA kernels compute it in W8A8; `fpsim.arith.viditq_released` is the law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import UnitConfig
from fpsim.array.fields import check_array, check_finite_fp16, check_matrix
from fpsim.array.protocol import FloatRun, OperandBits, Run
from fpsim.array.uniform import refuse_special
from fpsim.kernels.block_rows import special_rows
from fpsim.kernels.viditq_released import LONGEST_ROW, quantize_rows, released_layer

_TOP = np.float32(127)


@dataclass(frozen=True, eq=False)
class ReleasedProgram:
    """y = FP16(((dot · sa) · sw + (Σ · zw) · sw) + b) in float32; results beyond 65504 are infinite.

    Attributes:
        name: the layer's name in its model.
        weight_codes: int8 (N, K); a weight is worth (code + zero) · scale.
        weight_scales: uint16 (N,), FP16 bits, positive, finite.
        weight_zeros: int16 (N,).
        bias: uint16 (N,), FP16 bits, finite.
    """

    name: str
    weight_codes: NDArray[np.int8]
    weight_scales: NDArray[np.uint16]
    weight_zeros: NDArray[np.int16]
    bias: NDArray[np.uint16]

    def __post_init__(self) -> None:
        n, k = check_matrix("weight_codes", self.weight_codes, np.int8)
        if k > LONGEST_ROW:
            raise ValueError(f"weight_codes: K={k}, expected at most {LONGEST_ROW}")
        check_array("weight_scales", self.weight_scales, np.uint16, (n,))
        check_array("weight_zeros", self.weight_zeros, np.int16, (n,))
        check_array("bias", self.bias, np.uint16, (n,))
        check_finite_fp16("bias", self.bias)
        check_finite_fp16("weight_scales", self.weight_scales)
        if ((self.weight_scales == 0) | (self.weight_scales >= 0x8000)).any():
            raise ValueError("weight_scales: expected positive FP16 bits")

    @property
    def shape(self) -> tuple[int, int]:
        """(N, K): output and input channels."""
        n, k = self.weight_codes.shape
        return n, k

    @property
    def operand_bits(self) -> OperandBits:
        """8-bit operands on a GPU's integer units."""
        return OperandBits(8, 8, None)

    def check(self, unit: UnitConfig) -> None:
        """The arithmetic is a GPU's; no configuration of ours changes it."""

    def load(self, unit: UnitConfig) -> Run:
        """The layer bit by bit; a row's result depends on the row."""
        weights = self.weight_codes.astype(np.float32)

        def run(x: NDArray[np.uint16]) -> NDArray[np.uint16]:
            refuse_special(self.name, special_rows(x))
            rows = quantize_rows(x)
            if not np.isfinite(rows.totals).all():
                row = int(np.flatnonzero(~np.isfinite(rows.totals))[0])
                raise ValueError(f"{self.name}: row {row} of x adds up to more than FP16 holds")
            return released_layer(rows, weights, self.weight_scales, self.weight_zeros, self.bias)

        return run

    def fake(self, unit: UnitConfig) -> FloatRun:
        """The same grids in float32: one scale for both directions, sums unrounded."""
        scale = self.weight_scales.view(np.float16).astype(np.float32)[:, None]
        weights = (self.weight_codes.astype(np.float32) + self.weight_zeros[:, None]) * scale
        bias = self.bias.view(np.float16).astype(np.float32)

        def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
            amax = np.abs(x).max(axis=1, keepdims=True)
            step = np.where(amax > 0, amax, _TOP).astype(np.float32) / _TOP
            y: NDArray[np.float32] = np.rint(x / step) * step @ weights.T.astype(np.float32) + bias
            return y

        return run
