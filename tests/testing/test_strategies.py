"""The strategies, put to the use they are made for: our own units against independent statements."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, find, given, settings
from hypothesis import strategies as st

import fpsim
from fpsim.arith.cast import encode
from fpsim.arith.mac_array import mac_array
from fpsim.quant.tensor import RECIPES
from fpsim.testing import blocks, codes, configs, operands, values

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(values("e2m1"))
def test_encode_equals_ml_dtypes_near_every_boundary(x: float) -> None:
    peer = np.array([x], np.float32).astype(ml_dtypes.float4_e2m1fn).view(np.uint8)
    assert fpsim.encode(np.array([x], np.float32), "e2m1").tolist() == peer.tolist()


@QUICK
@given(st.sampled_from(["e2m1", "e4m3", "int4", "ue4m3"]).flatmap(lambda f: st.tuples(st.just(f), codes(f))))
def test_codes_are_legal(drawn: tuple[str, int]) -> None:
    name, code = drawn
    assert 0 <= code < 2 ** {"e2m1": 4, "e4m3": 8, "int4": 4, "ue4m3": 7}[name]


@QUICK
@given(st.data())
def test_every_machine_multiplies_as_plain_integers_do(data: st.DataObject) -> None:
    config = data.draw(configs())
    a, b, a_fmt, b_fmt = data.draw(operands(config))
    units = [
        fpsim.decode(m, f).astype(np.float64) / float(fpsim.formats.get(f).step)
        for m, f in ((a, a_fmt), (b, b_fmt))
    ]
    half = 2 ** (config.unit.acc_bits - 1)
    exact = (units[0] @ units[1].T).astype(np.int64)
    wrapped = (exact + half) % (2 * half) - half
    acc = fpsim.Accumulator.exact(config.unit.acc_bits)
    assert fpsim.matmul(a, b, a_fmt=a_fmt, b_fmt=b_fmt, acc=acc).tolist() == wrapped.tolist()
    assert mac_array(a.tolist(), b.tolist(), a_fmt, b_fmt, config.unit.acc_bits) == wrapped.tolist()


@settings(QUICK, max_examples=400)
@given(st.sampled_from(RECIPES).flatmap(lambda name: st.tuples(st.just(name), blocks(name, size=20))))
def test_blocks_are_finite_and_quantize(drawn: tuple[str, np.ndarray]) -> None:
    recipe, x = drawn
    assert x.dtype == np.float32
    assert x.shape == (20,)
    assert np.isfinite(x).all()
    if not recipe.startswith("per-") or not 0 < np.abs(x).max() < 2.0**-140:  # a float32 scale may underflow
        assert fpsim.quantize(x, recipe).codes.shape == x.shape


@pytest.mark.parametrize(
    "recipe", ["mxfp4-rceil", "mxfp8-e5m2-floor", "nvfp4", "nvfp4-four-over-six-mse-256"]
)
def test_blocks_reach_zero_tiny_huge_and_every_kind_of_scale(recipe: str) -> None:
    def is_tiny(x: np.ndarray) -> bool:
        return bool(0 < np.abs(x).max() < 2.0**-126)

    search = settings(database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    for wanted in (lambda x: not x.any(), is_tiny, lambda x: np.abs(x).max() > 2.0**110):
        assert wanted(find(blocks(recipe, size=4), wanted, settings=search))


@QUICK
@given(st.data())
def test_quantizing_what_is_on_the_grid_is_the_identity(data: st.DataObject) -> None:
    recipe = data.draw(st.sampled_from(["per-token-e2m1", "per-tensor-e1m2", "per-channel-e2m1"]))
    x = data.draw(blocks(recipe, size=8))
    # A smaller scale would be subnormal, where float32 holds neither it nor its multiples to full precision.
    assume(np.abs(x).max() == 0 or np.abs(x).max() >= 2.0**-120)
    once = fpsim.quantize(x, recipe)
    again = fpsim.quantize(once.dequantize(), recipe)
    assert again.dequantize().tolist() == pytest.approx(once.dequantize().tolist(), rel=1e-6)
    assert (again.codes == once.codes).all()


@QUICK
@given(st.data())
def test_the_law_and_the_cast_agree_under_real_biases(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["e2m1", "e3m0", "e1m2", "e2m3", "e4m3"]))
    form = fpsim.formats.get(name).with_bias(data.draw(st.floats(-20, 20)))
    x = data.draw(values(form))
    expected = encode(Fraction(x), form, negative_zero=x == 0 and bool(np.signbit(x)))
    assert fpsim.encode(np.array([x], np.float32), form)[0] == expected


def test_wide_formats_have_no_list_of_boundaries() -> None:
    with pytest.raises(ValueError, match="fmt='fp16': expected a format of at most 8 bits"):
        values("fp16")
