"""A linear layer as the machine holds it: codes, scales, bias and the switches of its datapath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array import uniform
from fpsim.array.config import UnitConfig
from fpsim.array.protocol import FloatRun, OperandBits, Run
from fpsim.formats import get


@dataclass(frozen=True)
class StaticScale:
    """A scale fixed before the run; the hardware then needs no second pass over a row.

    Attributes:
        exp: row exponent register, 1 to 30: one unit of the aligned row is 2^(exp - 25 - guard_bits).
        amp: amplitude register, 1 to 2^(align_bits - 1) - 1: the aligned integer of the largest code.
    """

    exp: int
    amp: int

    def __post_init__(self) -> None:
        if not 1 <= self.exp <= 30:
            raise ValueError(f"exp={self.exp}: expected 1 to 30")
        if self.amp < 1:
            raise ValueError(f"amp={self.amp}: expected at least 1")

    def value(self, guard_bits: int) -> float:
        """The magnitude that the largest code stands for."""
        return float(np.ldexp(self.amp, self.exp - 25 - guard_bits))


@dataclass(frozen=True, eq=False)
class LayerProgram:
    """What the accelerator is loaded with to run y = W x + b on FP16 rows.

    Attributes:
        name: the layer's name in its model.
        act_fmt: operand format of the activations.
        weight_fmt: operand format of the weights.
        weight_codes: uint8 (N, K), one code per weight.
        col_scale: uint32 (N,), TF32 bits, positive: weight scale, 1 / largest activation level, 1/sqrt(n).
        bias: uint16 (N,), FP16 bits, finite.
        signs: int8 (K,) of +1 and -1 if rows are rotated on the way in; None if they are not.
        hadamard_n: block size of that rotation, 2^k, 12 · 2^k or 36 · 2^k; None: the Hadamard engine's. Any
            other size is the model's alone: the engine in SystemVerilog has one.
        static: the activation scale if it is static; None for one per row (per token), found from the row.
    """

    name: str
    act_fmt: str
    weight_fmt: str
    weight_codes: NDArray[np.uint8]
    col_scale: NDArray[np.uint32]
    bias: NDArray[np.uint16]
    signs: NDArray[np.int8] | None = None
    static: StaticScale | None = None
    hadamard_n: int | None = None

    def __post_init__(self) -> None:
        if self.weight_codes.ndim != 2 or self.weight_codes.dtype != np.uint8:
            raise ValueError(f"weight_codes: {_describe(self.weight_codes)}, expected uint8 (N, K)")
        n, k = self.weight_codes.shape
        for field, array, dtype, shape in (
            ("col_scale", self.col_scale, np.uint32, (n,)),
            ("bias", self.bias, np.uint16, (n,)),
            ("signs", self.signs, np.int8, (k,)),
        ):
            if array is not None and (array.dtype != dtype or array.shape != shape):
                raise ValueError(f"{field}: {_describe(array)}, expected {np.dtype(dtype)} {shape}")
        exponent = self.col_scale >> 10
        if ((exponent == 0) | (exponent >= 255)).any():
            raise ValueError("col_scale: expected positive, normal, finite TF32 bits")
        if ((self.bias >> 10 & 31) == 31).any():
            raise ValueError("bias: expected finite FP16 bits")
        if self.signs is not None and not (np.abs(self.signs) == 1).all():
            raise ValueError("signs: expected +1 and -1")

    @property
    def shape(self) -> tuple[int, int]:
        """(N, K): output and input channels."""
        n, k = self.weight_codes.shape
        return n, k

    @property
    def operand_bits(self) -> OperandBits:
        """Widths of the operands and passes over the array."""
        return OperandBits(get(self.act_fmt).bits, get(self.weight_fmt).bits, 1)

    def rotation(self, unit: UnitConfig) -> int | None:
        """Block size of the rotation on a machine of this configuration; None where rows are not rotated."""
        return None if self.signs is None else self.hadamard_n or unit.hadamard_n

    def load(self, unit: UnitConfig) -> Run:
        """The layer as the machine runs it (`fpsim.array.uniform`)."""
        return uniform.load(self, unit)

    def fake(self, unit: UnitConfig) -> FloatRun:
        """The same recipe in float32 (`fpsim.array.uniform`)."""
        return uniform.fake(self, unit)

    def check(self, unit: UnitConfig) -> None:
        """Raise ValueError unless a machine of this configuration can run the layer."""
        for field, name in (("act_fmt", self.act_fmt), ("weight_fmt", self.weight_fmt)):
            try:
                unit.operand_format(name)
            except ValueError as error:
                raise ValueError(f"{self.name}: {field}: {error}") from None
        k, n = self.shape[1], self.rotation(unit)
        if n is not None and k % n:
            raise ValueError(f"{self.name}: K={k}: expected a multiple of hadamard_n={n} for a rotated layer")
        if self.static is not None and (
            self.signs is not None or self.static.amp >= 1 << (unit.align_bits - 1)
        ):
            raise ValueError(
                f"{self.name}: static={self.static}: expected no rotation and amp < 2^{unit.align_bits - 1}"
            )


def _describe(array: NDArray[np.generic]) -> str:
    return f"{array.dtype} {array.shape}"
