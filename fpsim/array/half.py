"""A layer in FP16 with FP32 sums: what a processor's half-precision matrix product computes, in one order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import UnitConfig
from fpsim.array.fields import check_array, check_finite_fp16, check_matrix
from fpsim.array.protocol import FloatRun, OperandBits, Run
from fpsim.array.uniform import refuse_special
from fpsim.kernels.block_rows import special_rows
from fpsim.kernels.epilogue_float import sum_to_fp16
from fpsim.kernels.float32_sums import in_order


@dataclass(frozen=True, eq=False)
class HalfProgram:
    """y = FP16(FP32(acc + b)), acc ← FP32(acc + x · w) in order of k.

    Products of two FP16 numbers are multiples of 2^-48 with at most 22 bits, so they are float32 numbers, no
    sum is subnormal, and the float32 adder is the FP32 accumulator.

    Attributes:
        name: the layer's name in its model.
        weight: uint16 (N, K), FP16 bits, finite.
        bias: uint16 (N,), FP16 bits, finite.
    """

    name: str
    weight: NDArray[np.uint16]
    bias: NDArray[np.uint16]

    def __post_init__(self) -> None:
        n, _ = check_matrix("weight", self.weight, np.uint16)
        check_array("bias", self.bias, np.uint16, (n,))
        check_finite_fp16("weight", self.weight)
        check_finite_fp16("bias", self.bias)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, K): output and input channels."""
        n, k = self.weight.shape
        return n, k

    @property
    def operand_bits(self) -> OperandBits:
        """FP16 operands; the array's multipliers have no part in it."""
        return OperandBits(16, 16, None)

    def check(self, unit: UnitConfig) -> None:
        """Any machine has the unit."""

    def load(self, unit: UnitConfig) -> Run:
        """The layer as the machine runs it; a row's result depends on the row."""
        by_k = np.ascontiguousarray(self.weight.view(np.float16).astype(np.float32).T)

        def run(x: NDArray[np.uint16]) -> NDArray[np.uint16]:
            refuse_special(self.name, special_rows(x))
            return sum_to_fp16(in_order(x.view(np.float16).astype(np.float32), by_k), self.bias)

        return run

    def fake(self, unit: UnitConfig) -> FloatRun:
        """The layer in float32, with weights and bias as FP16 holds them."""
        weight = self.weight.view(np.float16).astype(np.float32)
        bias = self.bias.view(np.float16).astype(np.float32)

        def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
            y: NDArray[np.float32] = x @ weight.T + bias
            return y

        return run
