"""An accumulator back to floating point: two scales and a bias, rounded once."""

from __future__ import annotations

from fractions import Fraction

from fpsim.arith.cast import encode
from fpsim.arith.checks import check_int
from fpsim.formats import Format, get

FP16 = get("fp16")
TF32 = get("tf32")
RESULT_FORMATS = ("fp16", "bf16", "fp32")


def epilogue(acc: int, row_scale: int, col_scale: int, bias: int, result: str | Format = "fp16") -> int:
    """y = FP16(acc · ρ · c + b) with one rounding (rtl/README.md, "epilogue").

    Args:
        acc: the accumulator, any integer.
        row_scale: ρ, 19 TF32 bits; +0 or a positive normal number.
        col_scale: c, 19 TF32 bits; a positive normal number.
        bias: b, 16 FP16 bits; finite.
        result: format of y: fp16, or bf16 or fp32 of the wide epilogue.

    Returns:
        Bits of the exact sum, rounded to nearest, ties to even; subnormal results are kept. A rounded
        magnitude above the format's largest saturates to it (FP16: ±65504). An exact sum of 0 is +0 (a bias
        of −0 included); a negative sum that rounds to 0 is −0.

    Raises:
        ValueError: bits out of range, a scale or a bias of another class than the above, another result.
    """
    form = get(result)
    if form.name not in RESULT_FORMATS or form != get(form.name):
        raise ValueError(f"result={form.name!r}: expected one of {', '.join(RESULT_FORMATS)}")
    check_int("acc", acc, None, None)
    rho = _scale("row_scale", row_scale, zero=True)
    c = _scale("col_scale", col_scale, zero=False)
    check_int("bias", bias, 0, FP16.n_codes - 1)
    b = FP16.value(bias)
    if isinstance(b, str):
        raise ValueError(f"bias=0x{bias:04x}: expected finite FP16 bits, this is {b}")
    return encode(acc * rho * c + b, form, rounding="rne", overflow="saturate")


def _scale(name: str, bits: int, *, zero: bool) -> Fraction:
    check_int(name, bits, 0, TF32.n_codes - 1)
    sign, exponent, _ = TF32.fields(bits)
    value = TF32.value(bits)
    normal = sign == 0 and exponent > 0
    if isinstance(value, str) or not (normal or (zero and bits == 0)):
        legal = "+0 or a positive normal TF32 number" if zero else "a positive normal TF32 number"
        raise ValueError(f"{name}=0x{bits:05x}: expected {legal}")
    return value
