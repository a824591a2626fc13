"""What every kind of layer program can do: be checked, be loaded and run bit by bit, be imitated in float.

The array's own kind is `LayerProgram`; units beside the array (block-scaled dot products, FP16) have theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import UnitConfig

# FP16 bits (M, K) to FP16 bits (M, N); raises ValueError on an Inf or a NaN in a row.
Run = Callable[[NDArray[np.uint16]], NDArray[np.uint16]]
# The same layer in float32: (M, K) to (M, N).
FloatRun = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class OperandBits:
    """What one multiplication takes in.

    Attributes:
        activation: bits of an activation code.
        weight: bits of a weight code.
        passes: passes over the 4-bit array that a product takes; None where another unit multiplies.
    """

    activation: int
    weight: int
    passes: int | None


class Program(Protocol):
    """A linear layer y = W x + b as the accelerator is loaded with it."""

    @property
    def name(self) -> str:
        """The layer's name in its model."""

    @property
    def shape(self) -> tuple[int, int]:
        """(N, K): output and input channels."""

    @property
    def operand_bits(self) -> OperandBits:
        """Widths of the operands and passes over the array."""

    def check(self, unit: UnitConfig) -> None:
        """Raise ValueError unless a machine of this configuration can run the layer."""

    def load(self, unit: UnitConfig) -> Run:
        """The layer as the machine runs it, every bit; weights are decoded here, once."""

    def fake(self, unit: UnitConfig) -> FloatRun:
        """The same recipe in float32: values rounded to the same grids, everything else left unrounded.

        What is usually called fake quantization: activations are scaled by their unrounded largest
        magnitude, products added by a float GEMM, and the result is not rounded to FP16.
        """
