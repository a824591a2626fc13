"""A linear layer as the machine holds it: codes, scales, bias and the switches of its datapath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.array import uniform
from fpsim.array.config import FP16_SIGNIFICAND_BITS, UnitConfig, passes
from fpsim.array.protocol import FloatRun, OperandBits, Run
from fpsim.formats import get
from fpsim.kernels.decode import max_units

EPILOGUE_MAX = 1 << 40  # largest magnitude that the epilogue takes


@dataclass(frozen=True)
class StaticScale:
    """A scale fixed before the run; the hardware then needs no second pass over a row.

    Attributes:
        exp: row exponent register, 1 to 30: one unit of the aligned row is 2^(exp - 25 - guard_bits).
        amp: amplitude register, at least 1, of 11 significant bits, below 2^(align_bits - 1): the aligned
            integer of the largest code. Where activations have a zero point, the aligned width of all their
            codes, below 2^align_bits. Where rows are rotated in blocks of n, that of rotated integers, which
            are not normalized: below n times as much.
    """

    exp: int
    amp: int

    def __post_init__(self) -> None:
        if not 1 <= self.exp <= 30:
            raise ValueError(f"exp={self.exp}: expected 1 to 30")
        if self.amp < 1:
            raise ValueError(f"amp={self.amp}: expected at least 1")
        if self.amp % (1 << max(self.amp.bit_length() - FP16_SIGNIFICAND_BITS, 0)):
            raise ValueError(
                f"amp={self.amp}: expected at most {FP16_SIGNIFICAND_BITS} significant bits, as TF32 has"
            )

    def value(self, guard_bits: int) -> float:
        """The magnitude that the largest code stands for; with a zero point, the width of all codes."""
        return float(np.ldexp(self.amp, self.exp - 25 - guard_bits))


@dataclass(frozen=True, eq=False)
class LayerProgram:
    """What the accelerator is loaded with to run y = W x + b on FP16 rows.

    Attributes:
        name: the layer's name in its model.
        act_fmt: operand format of the activations: e2m1, e3m0, e1m2, int4, int6 or int8.
        weight_fmt: operand format of the weights, likewise.
        weight_codes: uint8 (N, K), one code per weight; integers in two's complement.
        col_scale: uint32 (N,), TF32 bits, positive: weight scale, 1 / largest activation level, 1/sqrt(n).
            With act_zero, the activation's levels are 2^b - 1 steps.
        bias: uint16 (N,), FP16 bits, finite.
        signs: int8 (K,) of +1 and -1 if rows are rotated on the way in; None if they are not.
        hadamard_n: block size of that rotation, 2^k, 12 · 2^k or 36 · 2^k; None: the Hadamard engine's. In
            SystemVerilog blocks are whole beats of the engine (rtl/README.md, "top").
        act_zero: None: activations are symmetric. "row": each row has a zero point, found with its scale. A
            number: the zero point of a static scale, a code in two's complement. int4, int6 and int8 only.
        weight_zero: int16 (N,), the weights' zero points: a weight is worth its code less the zero point of
            its channel. None: symmetric. int4, int6 and int8 only.
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
    act_zero: int | Literal["row"] | None = None
    weight_zero: NDArray[np.int16] | None = None

    def __post_init__(self) -> None:
        if self.weight_codes.ndim != 2 or self.weight_codes.dtype != np.uint8:
            raise ValueError(f"weight_codes: {_describe(self.weight_codes)}, expected uint8 (N, K)")
        n, k = self.weight_codes.shape
        for field, array, dtype, shape in (
            ("col_scale", self.col_scale, np.uint32, (n,)),
            ("bias", self.bias, np.uint16, (n,)),
            ("signs", self.signs, np.int8, (k,)),
            ("weight_zero", self.weight_zero, np.int16, (n,)),
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
        return OperandBits(
            get(self.act_fmt).bits, get(self.weight_fmt).bits, passes(self.act_fmt, self.weight_fmt)
        )

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
        amp_bits = unit.align_bits - 1 if self.act_zero is None else unit.align_bits
        if self.static is not None and self.static.amp >= (n or 1) << amp_bits:
            times = f"{n} * " if n else ""
            raise ValueError(f"{self.name}: static={self.static}: expected amp < {times}2^{amp_bits}")
        self._check_zeros(unit)

    def _check_zeros(self, unit: UnitConfig) -> None:
        """Zero points belong to integers, the static one to its codes, and all sums into the epilogue."""
        act, weight = get(self.act_fmt), get(self.weight_fmt)
        for field, fmt, zero in (("act_zero", act, self.act_zero), ("weight_zero", weight, self.weight_zero)):
            if zero is not None and fmt.kind != "int":
                raise ValueError(f"{self.name}: {field}: expected None for {fmt.name}, which is no integer")
        if unit.overflow != "wrap" and (self.act_zero is not None or self.weight_zero is not None):
            raise ValueError(
                f"{self.name}: zero points: expected accumulators that wrap, not {unit.overflow!r}"
            )
        half = act.n_codes // 2
        if self.static is None and self.act_zero not in (None, "row"):
            raise ValueError(f"{self.name}: act_zero={self.act_zero!r}: expected 'row' with a dynamic scale")
        if self.static is not None and not (
            self.act_zero is None or (isinstance(self.act_zero, int) and -half <= self.act_zero < half)
        ):
            raise ValueError(
                f"{self.name}: act_zero={self.act_zero!r}: expected None or {-half} to {half - 1} with a "
                f"static scale"
            )
        largest = self.corrected_magnitude(unit)
        if largest > EPILOGUE_MAX:
            raise ValueError(
                f"{self.name}: K={self.shape[1]}, acc_bits={unit.acc_bits}: sums without zero points may "
                f"reach {largest}, expected at most 2^40, the epilogue's"
            )

    def corrected_magnitude(self, unit: UnitConfig) -> int:
        """No sum that reaches the epilogue is larger: the register's, and what zero points take away.

        |acc - z_w · Σ (a - z_a) - z_a · Σ w|: the register holds 2^(acc_bits - 1); a code and its zero point
        lie less than the format's codes apart.
        """
        k = self.shape[1]
        act, weight = get(self.act_fmt), get(self.weight_fmt)
        largest = 1 << (unit.acc_bits - 1)
        if self.weight_zero is not None:
            spread = max_units(act) if self.act_zero is None else act.n_codes - 1
            largest += int(np.abs(self.weight_zero.astype(np.int64)).max(initial=0)) * k * spread
        if self.act_zero is not None:
            largest += max_units(act) * k * max_units(weight)
        return largest


def _describe(array: NDArray[np.generic]) -> str:
    return f"{array.dtype} {array.shape}"
