"""Scales, codes and registers of a layer's program."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.layer import Machine
from fpsim.formats import get
from fpsim.quant.rotation import random_signs, rotate_columns
from fpsim.quant.scales import (
    OperandChoice,
    fp16_bits,
    program_layer,
    round_to_tf32,
    static_scale,
    tf32_bits,
    top_level,
)


def test_top_levels_are_those_of_the_standard_tables() -> None:
    assert [top_level(get(f)) for f in ("e2m1", "e3m0", "e1m2", "int4")] == [12, 64, 7, 7]


def test_tf32_rounding_is_to_nearest_even_with_eleven_bits() -> None:
    """2049 = 2^11 + 1 lies half way between 2048 and 2050; 2051 between 2050 and 2052."""
    x = np.array([2047.0, 2049.0, 2051.0, 2049.001, 1.0, 3e-7])
    got = round_to_tf32(x)
    assert got[:5].tolist() == [2047.0, 2048.0, 2052.0, 2050.0, 1.0]
    assert abs(Fraction(got[5]) / Fraction(3e-7) - 1) <= Fraction(1, 2**11)


def test_tf32_bits_are_the_top_nineteen_of_float32() -> None:
    assert tf32_bits(np.array([1.0, 2.0, 1.5, 0.0])).tolist() == [127 << 10, 128 << 10, (127 << 10) + 512, 0]
    with pytest.raises(ValueError, match="11 significant bits"):
        tf32_bits(np.array([2049.0]))
    with pytest.raises(ValueError, match="normal TF32"):
        tf32_bits(np.array([2.0**-130]))


@pytest.mark.parametrize("amax", [65504.0, 6.0, 5.9999, 1.0, 0.75, 6.1e-5, 6e-8])
def test_static_registers_stand_for_amax(amax: float) -> None:
    unit = UnitConfig()
    scale = static_scale(amax, unit)
    value = scale.amp * 2.0 ** (scale.exp - 25 - unit.guard_bits)
    assert 1 <= scale.exp <= 30
    assert scale.amp < 2 ** (unit.align_bits - 1)
    tolerance = 2.0**-11 if amax > 2.0**-14 else 0.5
    assert abs(value / amax - 1) <= tolerance


@pytest.mark.parametrize("amax", [0.0, -1.0, 70000.0, float("nan")])
def test_an_impossible_amax_is_refused(amax: float) -> None:
    with pytest.raises(ValueError, match="amax="):
        static_scale(amax, UnitConfig())


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf, 65520.0, -1e9])
def test_what_fp16_cannot_hold_is_refused_by_name(x: float) -> None:
    with pytest.raises(ValueError, match=r"qkv: input: largest magnitude"):
        fp16_bits(np.array([[1.0, x]]), "qkv: input")
    assert fp16_bits(np.array([65519.0]), "x").tolist() == [0x7BFF]


def weights(seed: int, n: int, k: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, k))


@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "e1m2", "int4"])
def test_codes_times_scales_are_the_nearest_representable_weights(fmt: str, granularity: str) -> None:
    """Every weight is within half a gap of the grid that its scale spans (brute force over all levels)."""
    w = weights(1, 6, 40)
    w[3] = 0
    choice = OperandChoice("e2m1", fmt, granularity)  # type: ignore[arg-type]
    program = program_layer("layer", w, np.zeros(6), choice)
    spec = get(fmt)
    values = np.array([float(spec.value(code)) for code in range(16)])  # type: ignore[arg-type]
    units = values / float(spec.step)
    scale = (program.col_scale << np.uint32(13)).view(np.float32).astype(np.float64) * 12
    levels = units[None, :] * scale[:, None]
    error = np.abs(levels[:, None, :] - w[:, :, None])
    chosen = np.take_along_axis(error, program.weight_codes[:, :, None].astype(np.int64), 2)[..., 0]
    assert (chosen <= error.min(axis=2) * (1 + 1e-6)).all()
    assert (program.weight_codes[3] == 0).all()
    assert len(set(program.col_scale.tolist())) == (1 if granularity == "tensor" else 6)


def test_non_finite_weights_are_refused() -> None:
    w = weights(1, 2, 4)
    w[0, 0] = np.nan
    with pytest.raises(ValueError, match="layer: weight, bias"):
        program_layer("layer", w, np.zeros(2), OperandChoice())


@pytest.mark.parametrize(("rotated", "expected"), [(False, 15.8), (True, 15.8)])
def test_gaussian_output_sqnr_is_that_of_the_literature_study(rotated: bool, expected: float) -> None:
    """methods.md sections 1.6 and 8: W4A4 E2M1, per token and channel, K = 1152: 15.8 dB, either way."""
    rng = np.random.default_rng(7)
    w, x = rng.standard_normal((128, 1152)), rng.standard_normal((64, 1152)).astype(np.float16)
    signs = random_signs(1152, 0, "layer") if rotated else None
    coded = rotate_columns(w, 32, signs) if signs is not None else w
    program = program_layer(
        "layer", coded, np.zeros(128), OperandChoice(), signs=signs, hadamard_n=32 if rotated else 1
    )
    got = Machine(ArrayConfig(), [program]).run("layer", x.view(np.uint16)).view(np.float16)
    exact = x.astype(np.float64) @ w.T
    sqnr = 10 * np.log10((exact**2).sum() / ((got - exact) ** 2).sum())
    assert sqnr == pytest.approx(expected, abs=0.3)
