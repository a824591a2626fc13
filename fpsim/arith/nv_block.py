"""Blocks under a UE4M3 scale and a tensor scale; formulas as in `fpsim.formats.tensor_recipes`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from fpsim.arith.cast import encode
from fpsim.arith.float32 import Number, capped, quotient, single
from fpsim.formats import get
from fpsim.formats.tensor_recipes import NvRecipe

E2M1, UE4M3 = get("e2m1"), get("ue4m3")
TOP = E2M1.max_value
ONE = encode(1, UE4M3)
EXPANSION = Fraction(3, 2)  # 6 / 4

Element = tuple[Fraction, bool]


class TensorScale(NamedTuple):
    """The scale of a tensor and what it was made from, float32 numbers."""

    amax: Fraction
    decode: Fraction  # what the codes are multiplied by
    encode: Fraction  # its counterpart that block scales are multiplied by (paper, te)


def tensor_scale(amax: Fraction, recipe: NvRecipe) -> TensorScale:
    """The scale g of a tensor whose largest magnitude is amax >= 0, a finite float32 number."""
    largest = TOP * recipe.scale_cap
    if recipe.formula in ("modelopt", "torchao"):
        direct = capped(single(amax / largest))
        return TensorScale(amax, direct or Fraction(1), Fraction(0))
    inverse = capped(quotient(largest, amax))
    return TensorScale(amax, capped(single(1 / inverse)), inverse)


def unrounded_scale(amax: Fraction, scale: TensorScale, recipe: NvRecipe) -> Number:
    """The float32 scale of a block whose largest magnitude is amax, before it is clamped and rounded."""
    if recipe.formula == "te":
        sixth = single(1 / TOP)
        return single(amax * capped(single(scale.encode * sixth)))
    if recipe.formula == "modelopt":
        quotient_ = quotient(amax, capped(single(TOP * scale.decode)))
        return Fraction(1) if quotient_ == 0 else quotient_
    share = capped(single(amax / TOP))
    return quotient(share, scale.decode) if recipe.formula == "torchao" else single(share * scale.encode)


def scale_code(scale: Number, recipe: NvRecipe) -> int:
    """Clamp a block scale and round it to UE4M3."""
    return max(encode(capped(scale), UE4M3), recipe.smallest_scale)


def element_code(element: Element, scale: int, tensor: TensorScale, recipe: NvRecipe) -> int:
    """The E2M1 code of one element of a block under a scale code."""
    value, minus_zero = element
    s = UE4M3.value(scale)
    assert isinstance(s, Fraction)
    magnitude = min(capped(_scaled(abs(value), s, tensor, recipe)), TOP)
    negative = value < 0 or minus_zero
    if magnitude == 0:
        return encode(0, E2M1, negative_zero=negative and recipe.keep_negative_zero)
    return encode(-magnitude if negative else magnitude, E2M1)


def nv_block(values: Sequence[Element], tensor: TensorScale, recipe: NvRecipe) -> tuple[int, list[int]]:
    """Quantize one block.

    Args:
        values: 1 to 16 elements: (finite float32 number, whether it is −0).
        tensor: from `tensor_scale`.
        recipe: any of the NVFP4 recipes.

    Returns:
        (scale code, element codes).
    """
    base = unrounded_scale(max(abs(value) for value, _ in values), tensor, recipe)
    best: tuple[Number, int, list[int]] | None = None
    for candidate in (base, single(base * EXPANSION)) if recipe.four_over_six else (base,):
        code = scale_code(candidate, recipe)
        codes = [element_code(element, code, tensor, recipe) for element in values]
        wrong = _error(values, code, codes, tensor, recipe) if recipe.four_over_six else Fraction(0)
        if best is None or wrong < best[0]:
            best = wrong, code, codes
    assert best is not None
    return best[1], best[2]


def _scaled(magnitude: Fraction, s: Fraction, tensor: TensorScale, recipe: NvRecipe) -> Number:
    """A magnitude brought to the range of E2M1, rounded to float32."""
    if magnitude == 0 or (s == 0 and recipe.formula != "te"):
        return Fraction(0)
    if recipe.division == "divide":
        return quotient(magnitude, capped(single(s * tensor.decode)))
    if recipe.formula == "torchao":
        return single(magnitude * capped(quotient(capped(quotient(Fraction(1), tensor.decode)), s)))
    return single(magnitude * capped(quotient(Fraction(1), capped(single(s * tensor.decode)))))


def _error(
    values: Sequence[Element], scale: int, codes: list[int], tensor: TensorScale, recipe: NvRecipe
) -> Number:
    """How far a candidate is off, by the recipe's norm; +inf where float32 overflows."""
    s = UE4M3.value(scale)
    total: Number = Fraction(0)
    for (value, _), code in zip(values, codes, strict=True):
        decoded = E2M1.value(code)
        assert isinstance(decoded, Fraction)
        assert isinstance(s, Fraction)
        product = single(decoded * s * tensor.amax)
        difference = single(single(product / (TOP * recipe.scale_cap)) - value)
        off: Number = difference if difference > 0 else -difference
        if recipe.four_over_six == "absmax":
            total = max(total, off)
        else:
            total = single(total + (single(off * off) if recipe.four_over_six == "mse" else off))
    return total
