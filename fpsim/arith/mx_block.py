"""A block under an E8M0 scale; the rules are defined in `fpsim.formats.tensor_recipes`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from fpsim.arith.cast import encode
from fpsim.arith.float32 import quotient
from fpsim.formats import NAN, Format, get
from fpsim.formats.tensor_recipes import MxRecipe

BIAS = get("e8m0").bias
NAN_SCALE = 0xFF
LARGEST_SCALE = 0xFE


def scale_code(amax: Fraction | str, recipe: MxRecipe) -> int:
    """The scale code of a block.

    Args:
        amax: its largest magnitude, a float32 number, exact; "+inf"; "nan" where any element is.
        recipe: for the element format and the rule.

    Returns:
        An E8M0 code, 0xFF only for "nan".
    """
    if amax == NAN:
        return NAN_SCALE
    if isinstance(amax, str):
        return LARGEST_SCALE if recipe.rule == "rceil" else _code(128 - _emax(get(recipe.element)))
    if amax == 0:
        return 0
    form = get(recipe.element)
    if recipe.rule == "rceil":
        scale = quotient(amax, form.max_value)
        assert isinstance(scale, Fraction)
        return _code(_ceil_log2(scale)) if scale else 0
    if recipe.rule == "ceil":
        return _code(_ceil_log2(amax) - _emax(form))
    if recipe.rule == "even":
        unit = Fraction(2) ** (_floor_log2(amax) - form.man_bits)
        amax = (amax / unit + Fraction(1, 2)) // 1 * unit
    return _code(_floor_log2(amax) - _emax(form))


def mx_block(values: Sequence[tuple[Fraction | str, bool]], recipe: MxRecipe) -> tuple[int, list[int]]:
    """Quantize one block.

    Args:
        values: 1 to block_size elements: (exact float32 number, "+inf", "-inf" or "nan"; whether it is −0).
        recipe: element format and rule.

    Returns:
        (scale code, element codes); codes 0 under the scale 0xFF.
    """
    specials = {value for value, _ in values if isinstance(value, str)}
    amax: Fraction | str = max((abs(v) for v, _ in values if isinstance(v, Fraction)), default=Fraction(0))
    if specials:
        amax = NAN if NAN in specials else "+inf"
    scale = scale_code(amax, recipe)
    if scale == NAN_SCALE:
        return scale, [0] * len(values)
    step = Fraction(2) ** (scale - BIAS)
    return scale, [
        encode(value / step if isinstance(value, Fraction) else value, recipe.element, negative_zero=minus)
        for value, minus in values
    ]


def _code(exponent: int) -> int:
    return min(max(exponent, -BIAS), BIAS) + BIAS


def _emax(form: Format) -> int:
    return _floor_log2(form.max_value)


def _floor_log2(x: Fraction) -> int:
    """The largest e with 2^e <= x."""
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if Fraction(2) ** e <= x else e - 1


def _ceil_log2(x: Fraction) -> int:
    """The smallest e with 2^e >= x."""
    e = _floor_log2(x)
    return e if Fraction(2) ** e == x else e + 1
