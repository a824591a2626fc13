"""An FP32 sum back to FP16: scaled and biased with one rounding, or biased in FP32 (rtl/README.md)."""

from __future__ import annotations

from fractions import Fraction

from fpsim.arith.cast import encode
from fpsim.arith.checks import check_int
from fpsim.formats import Format, get

FP16, FP32 = get("fp16"), get("fp32")


def scaled_to_fp16(acc: int, scale: int, bias: int) -> int:
    """FP16(acc · scale + bias), one rounding of the exact sum.

    Args:
        acc: FP32 bits, finite.
        scale: FP32 bits, a positive normal number.
        bias: FP16 bits, finite.

    Returns:
        FP16 bits: nearest, ties to even, subnormals kept, magnitudes above 65504 saturated. An exact sum of 0
        is +0; a negative one that rounds to 0 is −0.

    Raises:
        ValueError: bits out of range, or of another class than the above.
    """
    factor = _finite("scale", scale, FP32)
    if factor < Fraction(2) ** (1 - FP32.bias):
        raise ValueError(f"scale=0x{scale:08x}: expected a positive normal FP32 number")
    return encode(_finite("acc", acc, FP32) * factor + _finite("bias", bias, FP16), FP16)


def sum_to_fp16(acc: int, bias: int) -> int:
    """FP16(FP32(acc + bias)): two roundings, as a processor with FP32 arithmetic does it.

    Args:
        acc: FP32 bits, finite.
        bias: FP16 bits, finite.

    Returns:
        FP16 bits, as above; an exact sum of 0 is +0.
    """
    total = FP32.value(encode(_finite("acc", acc, FP32) + _finite("bias", bias, FP16), FP32))
    assert isinstance(total, Fraction)
    return encode(total, FP16)


def _finite(name: str, bits: int, fmt: Format) -> Fraction:
    check_int(name, bits, 0, fmt.n_codes - 1)
    value = fmt.value(bits)
    if isinstance(value, str):
        raise ValueError(f"{name}=0x{bits:x}: expected a finite number, this is {value}")
    return value
