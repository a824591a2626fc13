"""From a floating-point linear layer to the machine's program: codes, column scales, bias."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import FP16_SIGNIFICAND_BITS, UnitConfig
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.uniform import activation_levels
from fpsim.formats import Format, get
from fpsim.kernels.cast import encode
from fpsim.kernels.decode import decode_units

FP16_MAGNITUDE = np.uint16(0x7FFF)
FP16_INFINITY = 0x7C00

Granularity = Literal["channel", "tensor"]


@dataclass(frozen=True)
class OperandChoice:
    """Formats and weight granularity of one layer.

    Attributes:
        act_fmt: operand format of the activations: e2m1, e3m0, e1m2, int4, int6 or int8.
        weight_fmt: operand format of the weights, likewise.
        weight_scale: one scale (and zero point) per output channel, or one for the whole tensor.
        weight_zero: whether weights have zero points: they are coded from the smallest to the largest, 0
            among them, over all 2^b codes. Integers only.
        act_zero: whether each row of activations has one; integers only. With a static scale give
            `program_layer` the zero point itself.
    """

    act_fmt: str = "e2m1"
    weight_fmt: str = "e2m1"
    weight_scale: Granularity = "channel"
    weight_zero: bool = False
    act_zero: bool = False


@dataclass(frozen=True, eq=False)
class WeightGrid:
    """The values that a layer's weights can have: step · (code in units - zero).

    Attributes:
        fmt: operand format of the codes.
        step: float64 (N,), what one unit of a channel's codes is worth. Exactly what the machine multiplies
            with, column scale (TF32) · activation levels · sqrt(hadamard_n), but for that root's rounding.
        zero: int16 (N,), zero points; None without.
        col_scale: float64 (N,), the column scale that goes with it, a TF32 number.
    """

    fmt: Format
    step: NDArray[np.float64]
    zero: NDArray[np.int16] | None
    col_scale: NDArray[np.float64]

    def codes(self, weight: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The nearest codes of weights (N, K) or of one column (N,); ties to even, saturated."""
        units = weight / self._column(self.step, weight)
        if self.fmt.kind != "int":
            return encode((units * float(self.fmt.step)).astype(np.float32), self.fmt).astype(np.uint8)
        half = self.fmt.n_codes // 2
        integers = np.rint(units)
        if self.zero is not None:
            integers += self._column(self.zero, weight)
        codes: NDArray[np.uint8] = (integers.clip(-half, half - 1).astype(np.int64) % (2 * half)).astype(
            np.uint8
        )
        return codes

    def values(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        """What codes (N, K) or (N,) stand for."""
        units = decode_units(codes, self.fmt).astype(np.float64)
        if self.zero is not None:
            units -= self._column(self.zero, codes)
        worth: NDArray[np.float64] = units * self._column(self.step, codes)
        return worth

    @staticmethod
    def _column(per_channel: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
        return per_channel.reshape(-1, *[1] * (like.ndim - 1))


def top_level(fmt: Format) -> int:
    """The largest quantized level in units of the smallest step.

    E2M1 12, E3M0 64, E1M2 and INT4 7, INT6 31, INT8 127.
    """
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


def static_scale(amax: float, unit: UnitConfig, rotated: tuple[float, int] | None = None) -> StaticScale:
    """The registers that make `amax` the value of the largest code.

    The exponent is that of `amax` as an FP16 number, so that the amplitude uses all bits of an aligned
    element; the amplitude has 11 significant bits, as one found at run time has.

    Args:
        amax: largest expected magnitude as rows come in, positive, at most 65504.
        unit: the machine.
        rotated: where rows are rotated: the largest expected magnitude behind the normalized rotation,
            positive, at most amax · sqrt(n), which stands for the largest code then; and the block size n.
    """
    if not 0 < amax <= 65504:
        raise ValueError(f"amax={amax!r}: expected a positive number up to 65504")
    largest, n = rotated or (amax, 1)
    if not 0 < largest <= amax * n**0.5 * (1 + 1e-9):
        raise ValueError(f"rotated={rotated!r}: expected a positive number up to amax · sqrt(n), and n")
    exp = max(int(np.frexp(amax)[1]) - 1 + 15, 1)
    step = np.ldexp(1.0, exp - 25 - unit.guard_bits)
    units = max(largest * n**0.5 / step, 1.0)
    return StaticScale(exp, min(int(round_to_tf32(np.array([units]))[0]), _below(n << unit.align_bits - 1)))


def _below(bound: int) -> int:
    """The largest integer of 11 significant bits below a bound of at least 2^11."""
    drop = (bound - 1).bit_length() - FP16_SIGNIFICAND_BITS
    return (bound - 1) >> drop << drop


def static_range(low: float, high: float, unit: UnitConfig, fmt: str) -> tuple[StaticScale, int]:
    """The registers of a static scale with a zero point, and that zero point, for values from low to high.

    Args:
        low, high: smallest and largest expected value, at most 65504 in magnitude, not both 0. A low above 0
            and a high below 0 count as 0.
        fmt: int4, int6 or int8.

    Returns:
        The scale, whose amplitude is the width of all codes, and the code that stands for 0.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    form = get(fmt)
    exp = static_scale(max(-low, high), unit).exp
    step = np.ldexp(1.0, exp - 25 - unit.guard_bits)
    amp = int(round_to_tf32(np.array([max((high - low) / step, 1.0)]))[0])
    amp = min(amp, _below(1 << unit.align_bits))
    levels = form.n_codes - 1
    above_lowest = min(int(np.rint(levels * -low / (amp * step))), levels)
    return StaticScale(exp, amp), above_lowest - form.n_codes // 2


def weight_grid(
    weight: NDArray[np.float64],
    choice: OperandChoice,
    *,
    hadamard_n: int | None = None,
    scale: NDArray[np.float64] | None = None,
    zero: NDArray[np.int16] | None = None,
) -> WeightGrid:
    """The grid that `program_layer` codes weights on, for those who choose the codes themselves (GPTQ).

    The column scale is rounded first and the grid is what it became, so its rounding costs no accuracy. A
    channel of zeros gets the scale 1. Zero points keep 0 among a channel's values (ours, as for activations),
    so that every zero point is a code.

    Args:
        weight: float64 (N, K), finite, already rotated if rows are.
        choice: formats and granularity.
        hadamard_n: block size of the rows' rotation; None for none.
        scale: float64 (N,), positive: what one unit of a channel's codes should be worth; None: the largest
            magnitude over the top level, with zero points the range over 2^b - 1.
        zero: int16 (N,), zero points; None: nearest to -smallest / scale, if the choice has any.

    Raises:
        ValueError: an argument outside of the above, or a scale that TF32 cannot hold.
    """
    fmt = get(choice.weight_fmt)
    gain = activation_levels(get(choice.act_fmt), asymmetric=choice.act_zero) * np.sqrt(hadamard_n or 1)
    if not np.isfinite(weight).all():
        raise ValueError("weight: expected finite values")
    if fmt.kind != "int" and (choice.weight_zero or zero is not None):
        raise ValueError(f"weight_zero: expected none for {fmt.name}, which is no integer")
    low, high = weight.min(axis=1).clip(max=0), weight.max(axis=1).clip(min=0)
    if choice.weight_scale == "tensor":
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
    if scale is None:
        span, levels = (
            (high - low, fmt.n_codes - 1) if choice.weight_zero else (np.maximum(-low, high), top_level(fmt))
        )
        scale = np.where(span > 0, span / levels, gain)
    elif scale.shape != low.shape or not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError(f"scale: shape {scale.shape}, expected {low.shape}, positive and finite")
    if zero is not None and (zero.dtype != np.int16 or zero.shape != low.shape):
        raise ValueError(f"zero: {zero.dtype} {zero.shape}, expected int16 {low.shape}")
    col_scale = round_to_tf32(scale / gain)
    step = col_scale * gain
    if zero is None and choice.weight_zero:
        half = fmt.n_codes // 2
        zero = (np.rint(-low / step) - half).clip(-half, half - 1).astype(np.int16)
    return WeightGrid(fmt, step, zero, col_scale)


def program_layer(
    name: str,
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    choice: OperandChoice,
    *,
    signs: NDArray[np.int8] | None = None,
    hadamard_n: int | None = None,
    static: StaticScale | None = None,
    static_zero: int | None = None,
    scale: NDArray[np.float64] | None = None,
    zero: NDArray[np.int16] | None = None,
    codes: NDArray[np.uint8] | None = None,
) -> LayerProgram:
    """Code a layer's weights on their grid (`weight_grid`): by default the nearest codes under max scaling.

    Args:
        name: the layer's name.
        weight: float64 (N, K), already rotated if `signs` is given.
        bias: float64 (N,).
        choice: formats and granularity.
        signs: int8 (K,), the rotation that the machine applies to its rows; None for none.
        hadamard_n: block size of that rotation; its 1/sqrt(n) goes into the column scale.
        static: static activation scale, None for dynamic.
        static_zero: the zero point of a static scale, of `static_range`; it implies `choice.act_zero`.
        scale: float64 (N,), what one unit of a channel's codes should be worth (a clip search's result).
        zero: int16 (N,), the weights' zero points.
        codes: uint8 (N, K), the weights' codes if they are chosen already (GPTQ), on the grid of the same
            arguments; None: the nearest.

    Returns:
        The program; weight ≈ col_scale · activation levels · sqrt(n) · (codes in units - zero).

    Raises:
        ValueError: values that are not finite, or arguments that do not go together.
    """
    if not np.isfinite(weight).all() or not np.isfinite(bias).all():
        raise ValueError(f"{name}: weight, bias: expected finite values")
    if (signs is None) != (hadamard_n in (None, 1)):
        raise ValueError(f"{name}: hadamard_n={hadamard_n}: expected a block size with signs, None without")
    if static_zero is not None:
        choice = replace(choice, act_zero=True)
    block = None if signs is None else hadamard_n
    try:
        grid = weight_grid(weight, choice, hadamard_n=block, scale=scale, zero=zero)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return LayerProgram(
        name=name,
        act_fmt=choice.act_fmt,
        weight_fmt=choice.weight_fmt,
        weight_codes=grid.codes(weight) if codes is None else codes,
        col_scale=tf32_bits(grid.col_scale),
        bias=fp16_bits(bias, f"{name}: bias"),
        signs=signs,
        static=static,
        hadamard_n=block,
        act_zero=static_zero if static_zero is not None else "row" if choice.act_zero else None,
        weight_zero=grid.zero,
    )
