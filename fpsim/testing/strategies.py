"""The strategies themselves. They lean towards where implementations differ: ties, edges, zeros, signs."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.formats import Format, get
from fpsim.formats.tensor_recipes import MxRecipe, NvRecipe, TensorRecipe, VectorRecipe, get_tensor_recipe
from fpsim.kernels.cast import decode

Operands = tuple[NDArray[np.uint8], NDArray[np.uint8], str, str]


def codes(fmt: str | Format) -> st.SearchStrategy[int]:
    """Any code of a format, 0 to 2^bits - 1."""
    return st.integers(0, get(fmt).n_codes - 1)


def values(fmt: str | Format) -> st.SearchStrategy[float]:
    """Finite float32 values for a cast to a format of at most 8 bits: its values, the midpoints between
    neighbours (ties), the float32 next to each on either side, and anything finite; either sign."""
    spec = get(fmt)
    if spec.bits > 8:
        raise ValueError(f"fmt={spec.name!r}: expected a format of at most 8 bits")
    grid = sorted({v for v in map(spec.value, range(spec.n_codes)) if isinstance(v, Fraction) and v >= 0})
    points = grid + [(low + high) / 2 for low, high in pairwise(grid)]
    edges: set[float] = set()
    for point in points:
        exact = np.float32(float(point))
        for value in (np.nextafter(exact, np.float32(0)), exact, np.nextafter(exact, np.float32(np.inf))):
            edges |= {float(value), float(-value)}
    anything = st.floats(width=32, allow_nan=False, allow_infinity=False)
    return st.one_of(st.sampled_from(sorted(edges)), anything)


def _scale_boundaries(recipe: TensorRecipe) -> list[float]:
    """Largest magnitudes of a block at which its scale code changes, up to a power of two."""
    top = get(recipe.element).max_value
    if isinstance(recipe, NvRecipe):
        spec = get(recipe.scale)
        scales = [v for v in map(spec.value, range(spec.n_codes)) if isinstance(v, Fraction)]
        return [float(top * (low + high) / 2) for low, high in pairwise(scales)]
    if isinstance(recipe, MxRecipe):
        half_step = Fraction(1, 4 << get(recipe.element).man_bits)
        return [1.0, float(2 - 2 * half_step), float(top)]  # floor and ceil; even; rceil
    return [float(top)]


@st.composite
def blocks(draw: st.DrawFn, recipe: str, size: int = 32) -> NDArray[np.float32]:
    """One float32 vector of `size` elements for `fpsim.quantize(x, recipe)`, finite.

    Elements are values of the recipe's format, ties and their neighbours, times one power of two, or zeros.
    For the recipes with blocks the power of two reaches down to subnormals and up to the largest float32, the
    elements may all be zero or be scaled by a scale of the format, and the largest may lie at a value where
    the scale changes, or next to it on either side.
    """
    found = get_tensor_recipe(recipe)
    top = float(get(found.element).max_value)
    element = values(found.element).filter(lambda v: abs(v) <= top)
    drawn = draw(st.lists(st.one_of(st.just(0.0), element), min_size=size, max_size=size))
    x = np.array(drawn, dtype=np.float32)
    if isinstance(found, VectorRecipe):
        return x * np.float32(2.0 ** draw(st.integers(-40, 40)))
    if isinstance(found, NvRecipe):
        x *= decode(np.array([draw(st.integers(1, 126))], np.uint8), found.scale)
    if draw(st.booleans()):
        edge = np.float32(draw(st.sampled_from(_scale_boundaries(found))))
        towards = draw(st.sampled_from([0.0, float(edge), 1e9]))
        x[np.abs(x) > edge] = 0
        x[draw(st.integers(0, size - 1))] = np.nextafter(edge, np.float32(towards))
    if draw(st.integers(0, 9)) == 0:
        x[:] = 0
    exponent = draw(st.one_of(st.integers(-12, 12), st.integers(-149, -110), st.integers(100, 127)))
    largest = np.finfo(np.float32).max
    return np.clip(np.ldexp(x.astype(np.float64), exponent), -largest, largest).astype(np.float32)


@st.composite
def configs(draw: st.DrawFn) -> ArrayConfig:
    """Small machines: up to 4 x 4, any subset of formats, Hadamard sizes 2 to 16, 0 to 8 guard bits."""
    formats = draw(st.lists(st.sampled_from(OPERAND_FORMATS), min_size=1, unique=True))
    unit = UnitConfig(
        formats=tuple(formats),
        acc_bits=draw(st.integers(14, 32)),
        guard_bits=draw(st.integers(0, 8)),
        hadamard_n=2 ** draw(st.integers(1, 4)),
    )
    return ArrayConfig(rows=draw(st.integers(1, 4)), cols=draw(st.integers(1, 4)), unit=unit)


@st.composite
def operands(draw: st.DrawFn, config: ArrayConfig, max_k: int = 32) -> Operands:
    """One tile for the MAC array: codes (rows, K), codes (cols, K), and the two formats' names."""
    k = draw(st.integers(1, max_k))
    a_fmt, b_fmt = (draw(st.sampled_from(config.unit.formats)) for _ in range(2))

    def matrix(rows: int, fmt: str) -> NDArray[np.uint8]:
        flat = draw(st.lists(codes(fmt), min_size=rows * k, max_size=rows * k))
        return np.array(flat, dtype=np.uint8).reshape(rows, k)

    return matrix(config.rows, a_fmt), matrix(config.cols, b_fmt), a_fmt, b_fmt
