"""A vector under one float32 scale; defined in `fpsim.formats.tensor_recipes`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from fpsim.arith.cast import encode
from fpsim.arith.float32 import quotient, single
from fpsim.formats import Format, get
from fpsim.formats.tensor_recipes import CLIP_FIRST, CLIP_STEPS, VectorRecipe

Element = tuple[Fraction, bool]


def vector_scale(amax: Fraction, fmt: Format) -> Fraction:
    """amax / top in float32; 1 for amax = 0.

    Raises:
        ValueError: an amax so small that the scale is 0.
    """
    if amax == 0:
        return Fraction(1)
    scale = single(amax / fmt.max_value)
    assert isinstance(scale, Fraction)
    if scale == 0:
        raise ValueError(f"amax={amax}: too small for a float32 scale")
    return scale


def element_code(element: Element, scale: Fraction, fmt: Format) -> int:
    """The code of one element: float32(x / scale), clamped to −top .. top, rounded to the format."""
    value, minus_zero = element
    scaled = quotient(abs(value), scale)
    top = fmt.max_value
    magnitude = top if isinstance(scaled, float) else min(scaled, top)
    if magnitude == 0:
        return encode(0, fmt, negative_zero=value < 0 or minus_zero)
    return encode(-magnitude if value < 0 else magnitude, fmt)


def vector(
    values: Sequence[Element], recipe: VectorRecipe, amax: Fraction | None = None
) -> tuple[Fraction, list[int]]:
    """Quantize one vector.

    Args:
        values: at least one element: (finite float32 number, whether it is −0).
        recipe: element format, and whether the clip is searched.
        amax: a given largest magnitude, a float32 number above 0; None: that of the values.

    Returns:
        (scale, element codes).
    """
    fmt = get(recipe.element)
    largest = max(abs(value) for value, _ in values) if amax is None else amax
    scale = vector_scale(largest, fmt)
    if recipe.clip_search and largest:
        scale = _searched_scale(values, largest, fmt)
    return scale, [element_code(element, scale, fmt) for element in values]


def _searched_scale(values: Sequence[Element], amax: Fraction, fmt: Format) -> Fraction:
    best: tuple[Fraction, Fraction] | None = None
    for k in range(CLIP_STEPS, CLIP_FIRST - 1, -1):
        scale = single(amax * k / (CLIP_STEPS * fmt.max_value))
        assert isinstance(scale, Fraction)
        if scale == 0:
            break
        error = Fraction(0)
        for element in values:
            code_value = fmt.value(element_code(element, scale, fmt))
            assert isinstance(code_value, Fraction)
            off = _double(element[0] - _double(code_value * scale))
            error = _double(error + _double(off * off))
        if best is None or error < best[0]:
            best = error, scale
    assert best is not None
    return best[1]


def _double(x: Fraction) -> Fraction:
    """x rounded to float64 (far from its subnormals: squares of float32 differences are above 2^-400)."""
    return Fraction(float(x))
