"""A rotated integer to a code, up or down at random: right on average."""

from __future__ import annotations

from fractions import Fraction

from fpsim.arith.cast import encode
from fpsim.arith.checks import check_int
from fpsim.arith.integer_quantizer import integer_format
from fpsim.formats import Format, get

FLOAT_FORMATS = ("e2m1", "e3m0", "e1m2")


def stochastic_quantizer(
    h: int, amp: int, fmt: str | Format, random_bits: tuple[int, int], zero: int | None = None
) -> int:
    """Quantize one integer, rounding at random (rtl/README.md, "stochastic rounding"; the rule is ours).

    The magnitude x = top · |h| / amp lies between two neighbouring levels, `frac` of the way up. It goes up
    where floor(frac · 2^n) + r >= 2^n, with random_bits = (r, n), which is the rule of `fpsim.arith.cast`.

    Args:
        h: any integer, in units of the aligned row.
        amp: the amplitude, or with a zero point the row's span, at least 0; see `quantizer` and
            `integer_quantizer`.
        fmt: e2m1, e3m0, e1m2, int4, int6 or int8.
        random_bits: (r, n): n uniform random bits, 0 <= r < 2^n, n at least 1.
        zero: None, or of integers the code that stands for 0.

    Returns:
        The code. A magnitude of amp or more takes the largest level; amp = 0 gives index 0. A negative h that
        rounds to zero is −0 in the sign-magnitude formats. With a zero point: the signed rounded steps plus
        the zero point, saturated to the codes of the format.

    Raises:
        ValueError: another format, an argument out of range, a zero point of a format that has none.
    """
    form = get(fmt)
    check_int("h", h, None, None)
    check_int("amp", amp, 0, None)
    position = min(Fraction(abs(h), amp), Fraction(1)) if amp else Fraction(0)
    if form.name in FLOAT_FORMATS and form == get(form.name):
        if zero is not None:
            raise ValueError(f"zero={zero}: {form.name} has no zero point, expected None")
        x = position * form.max_value
        signed = -x if h < 0 else x
        return encode(
            signed, form, rounding="stochastic", negative_zero=h < 0 and x == 0, random_bits=random_bits
        )
    form = integer_format("fmt", form)
    half = form.n_codes // 2
    levels = half - 1 if zero is None else form.n_codes - 1
    magnitude = encode(position * levels, "uint8", rounding="stochastic", random_bits=random_bits)
    steps = -magnitude if h < 0 else magnitude
    if zero is None:
        return steps % form.n_codes
    check_int("zero", zero, -half, half - 1)
    return max(-half, min(steps + zero, half - 1)) % form.n_codes
