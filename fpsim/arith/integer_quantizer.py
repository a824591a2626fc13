"""A rotated integer to an integer code of 4, 6 or 8 bits: symmetric, or around a zero point."""

from __future__ import annotations

from fractions import Fraction

from fpsim.arith.checks import check_int
from fpsim.formats import Format, get


def integer_format(name: str, fmt: str | Format) -> Format:
    """The format, if it is int4, int6 or int8.

    Raises:
        ValueError: any other format; `name` is the argument that the message blames.
    """
    form = get(fmt)
    if form.name not in ("int4", "int6", "int8") or form != get(form.name):
        raise ValueError(f"{name}={form.name!r}: expected int4, int6 or int8")
    return form


def zero_point(low: int, span: int, fmt: str | Format) -> int:
    """The code that stands for 0 in a row of integers from `low` up (rtl/README.md, "zero points").

    Args:
        low: the row's smallest integer, or 0 where all are positive.
        span: the amplitude of largest (or 0) minus smallest; it maps to the 2^b - 1 steps of the format.
        fmt: int4, int6 or int8.

    Returns:
        The integer nearest to (2^b - 1) · |low| / span, ties to even, minus 2^(b-1); in two's complement a
        code of the format. A span of 0 gives -2^(b-1).

    Raises:
        ValueError: another format, a low above 0, or one that lies deeper than the span is wide.
    """
    form = integer_format("fmt", fmt)
    check_int("low", low, None, 0)
    check_int("span", span, 0, None)
    steps = form.n_codes - 1
    above_lowest = round(Fraction(steps * -low, span)) if span else 0  # round: ties to even
    if above_lowest > steps or (low and not span):
        raise ValueError(f"low={low}: expected at least -{span}, the span")
    return above_lowest - form.n_codes // 2


def integer_quantizer(h: int, amp: int, fmt: str | Format, zero: int | None = None) -> int:
    """Quantize one integer to a two's complement code (rtl/README.md, "quantizer" and "zero points").

    Args:
        h: any integer, in units of the aligned row.
        amp: without a zero point the amplitude, which maps to the largest code L = 2^(b-1) - 1; with one the
            row's span, which maps to L = 2^b - 1 steps. At least 0, in units of h.
        fmt: int4, int6 or int8.
        zero: None, or the code that stands for 0.

    Returns:
        The code, 0 to 2^b - 1: the integer nearest to L · h / amp, ties to even, saturated to ±L; with a zero
        point that integer plus the zero point, saturated to the codes of the format. amp = 0 codes a 0.

    Raises:
        ValueError: another format, an argument that is no integer, a negative amp, a zero beyond the codes.
    """
    form = integer_format("fmt", fmt)
    check_int("h", h, None, None)
    check_int("amp", amp, 0, None)
    half = form.n_codes // 2
    levels = half - 1 if zero is None else form.n_codes - 1
    magnitude = round(Fraction(levels * abs(h), amp)) if amp else 0  # round: ties to even
    steps = -magnitude if h < 0 else magnitude
    if zero is None:
        return max(-levels, min(steps, levels)) % form.n_codes
    check_int("zero", zero, -half, half - 1)
    return max(-half, min(steps + zero, half - 1)) % form.n_codes


def integer_value(code: int, fmt: str | Format) -> int:
    """The integer that a two's complement code stands for. Raises ValueError on a code beyond the format."""
    form = integer_format("fmt", fmt)
    form.check_code(code)
    return code - form.n_codes if code >= form.n_codes // 2 else code
