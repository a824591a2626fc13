"""The laws and the kernels of `fpsim.quantize`, bit for bit, and the kernels under flush-to-zero."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fpsim
from fpsim.arith import mx_block as law_mx
from fpsim.arith import nv_block as law_nv
from fpsim.arith import vector_scale as law_vector
from fpsim.arith.float32 import single as law_single
from fpsim.formats import get
from fpsim.formats.tensor_recipes import TENSOR_RECIPES, MxRecipe, NvRecipe, TensorRecipe, VectorRecipe
from fpsim.kernels.float32 import narrow, single, to_float32, widen
from fpsim.testing import blocks

MX = [recipe for recipe in TENSOR_RECIPES.values() if isinstance(recipe, MxRecipe)]
NV = [recipe for recipe in TENSOR_RECIPES.values() if isinstance(recipe, NvRecipe)]
# The scopes differ only in what one vector is.
VECTORS = [r for r in TENSOR_RECIPES.values() if isinstance(r, VectorRecipe) and r.scope == "per-token"]
FP32 = get("fp32")
QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def elements(x: np.ndarray) -> list[tuple[Fraction, bool]]:
    return [(Fraction(v), v == 0 and bool(np.signbit(v))) for v in x.tolist()]


def law(x: np.ndarray, recipe: TensorRecipe, amax: float | None = None) -> tuple[object, list[int], object]:
    """(scales, codes, tensor scale) of one vector by the law."""
    values = elements(x)
    given = None if amax is None else Fraction(amax)
    if isinstance(recipe, VectorRecipe):
        scale, codes = law_vector.vector(values, recipe, given)
        return [float(scale)], codes, None
    starts = range(0, len(values), recipe.block_size)
    chunks = [values[start : start + recipe.block_size] for start in starts]
    if isinstance(recipe, MxRecipe):
        results = [law_mx.mx_block(chunk, recipe) for chunk in chunks]
        return [scale for scale, _ in results], [code for _, codes in results for code in codes], None
    largest = max(abs(value) for value, _ in values) if given is None else given
    tensor = law_nv.tensor_scale(largest, recipe)
    results = [law_nv.nv_block(chunk, tensor, recipe) for chunk in chunks]
    codes = [code for _, block in results for code in block]
    return [scale for scale, _ in results], codes, float(tensor.decode)


def kernel(x: np.ndarray, name: str, amax: float | None = None) -> tuple[object, list[int], object]:
    got = fpsim.quantize(x, name, amax=amax)
    scale = None if got.tensor_scale is None else float(got.tensor_scale)
    return got.scales.tolist(), got.codes.tolist(), scale


@pytest.mark.parametrize("recipe", MX + NV, ids=lambda recipe: recipe.name)
@QUICK
@given(data=st.data())
def test_blocks(recipe: TensorRecipe, data: st.DataObject) -> None:
    x = data.draw(blocks(recipe.name, size=data.draw(st.integers(1, 40))))
    assert kernel(x, recipe.name) == law(x, recipe)


@pytest.mark.parametrize("recipe", NV, ids=lambda recipe: recipe.name)
@QUICK
@given(data=st.data())
def test_blocks_under_a_given_amax(recipe: NvRecipe, data: st.DataObject) -> None:
    x = data.draw(blocks(recipe.name, size=20))
    amax = data.draw(
        st.sampled_from(
            [1.0, 2688.0, 1536.0, 2.0**-149, 2.0**-126, 2.0**-40, 2.0**100, float(FP32.max_value)]
        )
    )
    assert kernel(x, recipe.name, amax) == law(x, recipe, amax)


@pytest.mark.parametrize("recipe", VECTORS, ids=lambda recipe: recipe.name)
@settings(QUICK, max_examples=30)
@given(data=st.data())
def test_vectors(recipe: VectorRecipe, data: st.DataObject) -> None:
    x = data.draw(blocks(recipe.name, size=data.draw(st.integers(1, 8))))
    amax = data.draw(st.none() | st.sampled_from([1.0, 3.0, 2.0**-100, float(FP32.max_value)]))
    try:
        want = law(x, recipe, amax)
    except ValueError:
        with pytest.raises(ValueError, match="too small for a float32 scale"):
            kernel(x, recipe.name, amax)
    else:
        assert kernel(x, recipe.name, amax) == want


def test_mx_scale_of_every_exponent_and_rule() -> None:
    # Every exponent field with the significands around each rule's turning points, subnormals included.
    stored = [0, 1, 0x200000, 0x3FFFFF, 0x400000, 0x400001, 0x600000, 0x700000, 0x780000, 0x7C0000, 0x7FFFFF]
    near = sorted({s + d for s in stored for d in (-1, 0, 1) if 0 <= s + d < 1 << 23})
    bits = np.array([field << 23 | s for field in range(255) for s in near], np.int32)
    for recipe in MX:
        got = fpsim.quantize(bits.view(np.float32)[:, None], recipe.name).scales.ravel().tolist()
        want = [law_mx.scale_code(Fraction(v), recipe) for v in bits.view(np.float32).tolist()]
        assert got == want, recipe.name
    assert bits.size == 255 * len(near) > 5000


def test_nv_scale_of_every_boundary() -> None:
    values = [Fraction(float(v)) for v in fpsim.decode(np.arange(127, dtype=np.uint8), "ue4m3")]
    points = [6 * (a + b) / 2 for a, b in pairwise(values)]
    x = np.array([float(p) for p in points], np.float32)
    x = (x.view(np.int32)[:, None] + np.arange(-3, 4)).astype(np.int32).view(np.float32).reshape(-1, 1)
    for recipe in NV:
        for amax in (2688.0, 2687.0, 2688.0 * (1 + 2**-22)):
            got = fpsim.quantize(x, recipe.name, amax=amax)
            assert got.scales.size == 126 * 7
            for row in range(0, x.shape[0], 5):
                want = law(x[row], recipe, float(np.float32(amax)))
                assert (got.scales[row].tolist(), got.codes[row].tolist()) == want[:2]


def test_one_rounding_to_float32() -> None:
    rng = np.random.default_rng(331)
    exponents = rng.integers(-160, 130, 6000)
    significands = rng.integers(1 << 52, 1 << 53, 6000) & -(1 << rng.integers(0, 34, 6000))
    x = np.ldexp(significands.astype(np.float64), exponents - 52) * rng.choice([-1, 1], 6000)
    with np.errstate(over="ignore"):
        numpy = x.astype(np.float32)
    assert [single(v) for v in x.tolist()] == numpy.astype(np.float64).tolist()
    assert [float(law_single(Fraction(v))) for v in x.tolist()] == numpy.astype(np.float64).tolist()
    assert [narrow(single(v)) for v in x.tolist()] == numpy.view(np.int32).tolist()
    bits = rng.integers(-(1 << 31), 1 << 31, 6000).astype(np.int32)
    bits = bits[~np.isnan(bits.view(np.float32))]
    assert [narrow(widen(b)) for b in bits.tolist()] == bits.tolist()
    assert np.isnan(widen(0x7FC00000))


def subnormal_rows() -> np.ndarray:
    """Rows of float32 numbers that are subnormal, or that give subnormal scales and quotients."""
    rng = np.random.default_rng(332)
    subnormal = rng.integers(-(1 << 31), 1 << 31, (40, 48)).astype(np.int32) & ~0x7F800000
    small = rng.standard_normal((40, 48)) * np.exp2(rng.integers(-140, -110, (40, 1)))
    return np.concatenate([subnormal.astype(np.int32).view(np.float32), small.astype(np.float32)])


def test_flush_to_zero_changes_nothing() -> None:
    x = subnormal_rows()
    wide = x.astype(np.float64)
    names = [
        name for name, r in TENSOR_RECIPES.items() if not (isinstance(r, VectorRecipe) and "int8" in name)
    ]

    def everything() -> list[list[bytes]]:
        results = []
        for name in names:
            got = fpsim.quantize(x, name, amax=None if name.startswith("mx") else 2.0**-100)
            scale = b"" if got.tensor_scale is None else got.tensor_scale.tobytes()
            results.append([got.codes.tobytes(), got.scales.tobytes(), scale, got.dequantize().tobytes()])
        assert fpsim.quantize(x[:40], "nvfp4", amax=2.0**-130).scales.any()
        own = [fpsim.quantize(x, name) for name in names if name[:2] in ("mx", "nv")]
        results.append([q.codes.tobytes() + q.scales.tobytes() + q.dequantize().tobytes() for q in own])
        return [*results, [to_float32(wide).tobytes()]]

    before = everything()
    assert torch.set_flush_denormal(True), "this processor cannot flush subnormals to zero"
    try:
        assert float(np.float32(2.0**-126) * np.float32(0.5)) == 0  # it does flush
        during = everything()
    finally:
        torch.set_flush_denormal(False)
    assert during == before
    assert before[-1] == [x.tobytes()]
    assert len(before) == len(names) + 2
