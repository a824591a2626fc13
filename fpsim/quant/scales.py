"""From a floating-point linear layer to the machine's program: codes, column scales, bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import FP16_SIGNIFICAND_BITS, UnitConfig
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.formats import Format, get
from fpsim.kernels.cast import encode

FP16_MAGNITUDE = np.uint16(0x7FFF)
FP16_INFINITY = 0x7C00

Granularity = Literal["channel", "tensor"]


@dataclass(frozen=True)
class OperandChoice:
    """Formats and weight granularity of one layer.

    Attributes:
        act_fmt: operand format of the activations.
        weight_fmt: operand format of the weights.
        weight_scale: one scale per output channel, or one for the whole tensor.
    """

    act_fmt: str = "e2m1"
    weight_fmt: str = "e2m1"
    weight_scale: Granularity = "channel"


def top_level(fmt: Format) -> int:
    """The largest quantized level in units of the smallest step (E2M1 12, E3M0 64, E1M2 and INT4 7)."""
    return int(fmt.max_value / fmt.step)


def round_to_tf32(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to 11 significant bits, nearest, ties to even; exponents as they are (TF32's normal range)."""
    fraction, exponent = np.frexp(x)
    scaled = np.rint(np.ldexp(fraction, FP16_SIGNIFICAND_BITS))
    rounded: NDArray[np.float64] = np.ldexp(scaled, exponent - FP16_SIGNIFICAND_BITS)
    return rounded


def tf32_bits(x: NDArray[np.float64]) -> NDArray[np.uint32]:
    """TF32 bits (19) of values that TF32 holds exactly.

    Raises:
        ValueError: a value that is not a normal TF32 number.
    """
    single = x.astype(np.float32)
    bits = single.view(np.uint32)
    tiny = np.abs(single) < np.finfo(np.float32).tiny
    if (single.astype(np.float64) != x).any() or (bits & 0x1FFF).any() or (tiny & (x != 0)).any():
        raise ValueError(f"x={x}: expected normal TF32 numbers (11 significant bits)")
    return bits >> np.uint32(13)


def fp16_bits(x: NDArray[np.float64] | NDArray[np.float32], name: str) -> NDArray[np.uint16]:
    """FP16 bits, nearest even. Raises ValueError naming `name` for NaN, Inf or values beyond 65504."""
    with np.errstate(over="ignore"):
        bits = x.astype(np.float16).view(np.uint16)
    if bits.size and int((bits & FP16_MAGNITUDE).max()) >= FP16_INFINITY:
        worst = float(np.max(np.abs(x)))
        raise ValueError(f"{name}: largest magnitude {worst}: expected finite values up to 65504")
    return bits


def static_scale(amax: float, unit: UnitConfig) -> StaticScale:
    """The registers that make `amax` the value of the largest code.

    The exponent is that of `amax` as an FP16 number, so that the amplitude uses all bits of an aligned
    element; the amplitude has 11 significant bits, as one found at run time has.

    Args:
        amax: largest expected magnitude, positive, at most 65504.
    """
    if not 0 < amax <= 65504:
        raise ValueError(f"amax={amax!r}: expected a positive number up to 65504")
    exp = max(int(np.frexp(amax)[1]) - 1 + 15, 1)
    step = np.ldexp(1.0, exp - 25 - unit.guard_bits)
    limit = (1 << (unit.align_bits - 1)) - 1
    amp = int(round_to_tf32(np.array([min(max(amax / step, 1.0), limit)]))[0])
    return StaticScale(exp, min(amp, limit))


def program_layer(
    name: str,
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    choice: OperandChoice,
    *,
    signs: NDArray[np.int8] | None = None,
    hadamard_n: int = 1,
    static: StaticScale | None = None,
) -> LayerProgram:
    """Code a layer's weights against max-scaled, TF32-rounded column scales.

    The column scale is rounded first and the weights are coded with what it became, so its rounding costs
    no accuracy. A channel of zeros gets the scale 1.

    Args:
        name: the layer's name.
        weight: float64 (N, K), already rotated if `signs` is given.
        bias: float64 (N,).
        choice: formats and granularity.
        signs: int8 (K,), the rotation that the machine applies to its rows; None for none.
        hadamard_n: the engine's size; its 1/sqrt(n) goes into the column scale where `signs` is given.
        static: static activation scale, None for dynamic.

    Returns:
        The program; weight ≈ col_scale · top level of act_fmt · sqrt(n) · codes in units.
    """
    act, fmt = get(choice.act_fmt), get(choice.weight_fmt)
    if not np.isfinite(weight).all() or not np.isfinite(bias).all():
        raise ValueError(f"{name}: weight, bias: expected finite values")
    amax = np.abs(weight).max(axis=1)
    if choice.weight_scale == "tensor":
        amax = np.full_like(amax, amax.max())
    gain = top_level(act) * np.sqrt(hadamard_n if signs is not None else 1)
    ideal = np.where(amax > 0, amax, top_level(fmt) * gain) / top_level(fmt) / gain
    col_scale = round_to_tf32(ideal)
    in_units = weight / (col_scale * gain)[:, None]
    codes = encode((in_units * float(fmt.step)).astype(np.float32), fmt)
    return LayerProgram(
        name=name,
        act_fmt=choice.act_fmt,
        weight_fmt=choice.weight_fmt,
        weight_codes=codes.astype(np.uint8),
        col_scale=tf32_bits(col_scale),
        bias=fp16_bits(bias, f"{name}: bias"),
        signs=signs,
        static=static,
    )
