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
    static_range,
    static_scale,
    tf32_bits,
    top_level,
    weight_grid,
)


def test_top_levels_are_those_of_the_standard_tables() -> None:
    formats = ("e2m1", "e3m0", "e1m2", "int4", "int6", "int8")
    assert [top_level(get(f)) for f in formats] == [12, 64, 7, 7, 31, 127]


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


@pytest.mark.parametrize("amax", [65504.0, 6.0, 5.9999, 1.9999, 1.0, 0.75, 6.1e-5, 6e-8])
def test_static_registers_stand_for_amax(amax: float) -> None:
    unit = UnitConfig()
    scale = static_scale(amax, unit)
    value = scale.amp * 2.0 ** (scale.exp - 25 - unit.guard_bits)
    assert 1 <= scale.exp <= 30
    assert scale.amp < 2 ** (unit.align_bits - 1)
    tolerance = 2.0**-11 if amax > 2.0**-14 else 0.5
    assert abs(value / amax - 1) <= tolerance


@pytest.mark.parametrize("n", [8, 96, 384])
@pytest.mark.parametrize(("amax", "part"), [(1.9999, 1.0), (1.0, 0.3), (60000.0, 0.01)])
def test_static_registers_of_rotated_rows_stand_for_what_is_behind_the_rotation(
    n: int, amax: float, part: float
) -> None:
    unit = UnitConfig()
    largest = amax * part * n**0.5
    scale = static_scale(amax, unit, (largest, n))
    assert scale.exp == static_scale(amax, unit).exp
    assert scale.amp < n * 2 ** (unit.align_bits - 1)
    # Rotated integers are sqrt(n) times what the normalized rotation makes.
    value = scale.amp * 2.0 ** (scale.exp - 25 - unit.guard_bits) / n**0.5
    # Half a step of 11 significant bits; a whole one at the very top, where there is no number above.
    assert abs(value / largest - 1) <= (2.0**-10 if part == 1 else 2.0**-11)
    for bad in (0.0, 1.01 * amax * n**0.5, float("nan")):
        with pytest.raises(ValueError, match="rotated="):
            static_scale(amax, unit, (bad, n))


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


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("act_zero", [False, True])
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize("fmt", ["int4", "int6", "int8"])
def test_weights_with_zero_points_use_all_codes_from_the_smallest_to_the_largest(
    fmt: str, granularity: str, act_zero: bool, rotated: bool
) -> None:
    """Every weight is within half a step; the step is (max - min) / (2^b - 1) within TF32's rounding."""
    w = weights(4, 6, 96) + 0.3 * np.arange(-2, 4)[:, None]
    w[3] = 0
    choice = OperandChoice("int8", fmt, granularity, weight_zero=True, act_zero=act_zero)  # type: ignore[arg-type]
    signs = random_signs(96, 0, "layer") if rotated else None
    program = program_layer("layer", w, np.zeros(6), choice, signs=signs, hadamard_n=32 if rotated else None)
    assert program.act_zero == ("row" if act_zero else None)
    assert program.hadamard_n == (32 if rotated else None)
    bits = get(fmt).bits
    signed = (program.weight_codes << (8 - bits)).view(np.int8) >> (8 - bits)
    col_scale = (program.col_scale << np.uint32(13)).view(np.float32).astype(np.float64)
    step = (col_scale * (255 if act_zero else 127) * np.sqrt(32 if rotated else 1))[:, None]
    assert program.weight_zero is not None
    assert (
        np.abs((signed.astype(np.float64) - program.weight_zero[:, None]) * step - w) <= 0.57 * step
    ).all()
    low, high = w.min(axis=1).clip(max=0), w.max(axis=1).clip(min=0)
    if granularity == "tensor":
        low, high = low.min(), high.max()
    ideal = (high - low) / (2**bits - 1)
    assert (np.abs(step[:, 0] / np.where(ideal > 0, ideal, step[:, 0]) - 1) <= 2.0**-11).all()
    if granularity == "channel":
        used = np.delete(signed, 3, 0)
        assert (used.min(axis=1) == -(1 << (bits - 1))).all()
        assert (used.max(axis=1) >= (1 << (bits - 1)) - 2).all()  # two roundings may leave one code free
    assert (signed[3] == program.weight_zero[3]).all()


def test_scales_zero_points_and_codes_that_a_recipe_chose_are_taken() -> None:
    w = weights(5, 4, 30)
    scale, zero = np.array([0.1, 0.2, 0.3, 0.4]), np.array([-3, 0, 5, 7], np.int16)
    choice = OperandChoice("int8", "int4", weight_zero=True)
    grid = weight_grid(w, choice, scale=scale, zero=zero)
    assert (np.abs(grid.step / scale - 1) <= 2.0**-11).all()
    nearest = np.rint(w / grid.step[:, None]) + zero[:, None]
    program = program_layer("layer", w, np.zeros(4), choice, scale=scale, zero=zero)
    assert (program.weight_codes == nearest.clip(-8, 7).astype(np.int64) % 16).all()
    assert program.weight_zero is not None
    assert (program.weight_zero == zero).all()
    own = np.random.default_rng(6).integers(0, 16, (4, 30)).astype(np.uint8)
    taken = program_layer("layer", w, np.zeros(4), choice, scale=scale, zero=zero, codes=own)
    assert (taken.weight_codes == own).all()
    assert (taken.col_scale == program.col_scale).all()
    signed = (own ^ 8).astype(np.float64) - 8
    assert grid.values(own).tolist() == ((signed - zero[:, None]) * grid.step[:, None]).tolist()


@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "int4", "int8"])
def test_a_grid_codes_columns_as_it_codes_the_whole(fmt: str) -> None:
    w = weights(7, 5, 12)
    grid = weight_grid(w, OperandChoice("e2m1", fmt, weight_zero=fmt.startswith("int")))
    codes = grid.codes(w)
    assert (np.stack([grid.codes(w[:, k]) for k in range(12)], axis=1) == codes).all()
    assert (np.stack([grid.values(codes[:, k]) for k in range(12)], axis=1) == grid.values(codes)).all()
    assert (grid.values(grid.codes(grid.values(codes))) == grid.values(codes)).all()
    choice = OperandChoice("e2m1", fmt, weight_zero=fmt.startswith("int"))
    assert (program_layer("layer", w, np.zeros(5), choice).weight_codes == codes).all()


@pytest.mark.parametrize(
    ("low", "high"), [(-1.0, 3.0), (0.0, 5.0), (0.5, 5.0), (-7.0, -0.1), (-65504.0, 65504.0), (-1e-4, 6e-5)]
)
@pytest.mark.parametrize("fmt", ["int4", "int6", "int8"])
def test_static_ranges_reach_from_low_to_high(fmt: str, low: float, high: float) -> None:
    unit = UnitConfig()
    scale, zero = static_range(low, high, unit, fmt)
    bits = get(fmt).bits
    assert scale.amp < 1 << unit.align_bits
    assert -(1 << (bits - 1)) <= zero < 1 << (bits - 1)
    step = scale.value(unit.guard_bits) / (2**bits - 1)
    wanted = (max(high, 0) - min(low, 0)) / (2**bits - 1)
    assert abs(step / wanted - 1) <= 2.0**-10
    reached = (-(1 << (bits - 1)) - zero) * step, ((1 << (bits - 1)) - 1 - zero) * step
    assert abs(reached[0] - min(low, 0)) <= 0.57 * step
    assert abs(reached[1] - max(high, 0)) <= 0.57 * step


@pytest.mark.parametrize("fmt", ["int4", "int6", "int8"])
def test_a_static_range_runs_on_the_machine(fmt: str) -> None:
    """W8, activations from -1 to 3: every output within half a step of each activation and weight."""
    rng = np.random.default_rng(8)
    w, x = rng.standard_normal((16, 64)), rng.uniform(-1, 3, (40, 64)).astype(np.float16)
    scale, zero = static_range(-1, 3, UnitConfig(), fmt)
    choice = OperandChoice(fmt, "int8")
    program = program_layer("layer", w, np.zeros(16), choice, static=scale, static_zero=zero)
    got = Machine(ArrayConfig(), [program]).run("layer", x.view(np.uint16)).view(np.float16)
    step = 4 / (2 ** get(fmt).bits - 1)
    bound = (
        0.57 * step * np.abs(w).sum(axis=1)
        + 0.51 / 127 * np.abs(w).max(axis=1) * np.abs(x).sum(axis=1)[:, None]
    )
    error = np.abs(got - x.astype(np.float64) @ w.T)
    assert (error <= bound).all()
    assert error.max() > 0.01 * bound.max()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"choice": OperandChoice("int8", "e2m1", weight_zero=True)},
            "layer: weight_zero: expected none for e2m1",
        ),
        ({"scale": np.array([1.0])}, r"layer: scale: shape \(1,\), expected \(2,\), positive"),
        ({"scale": np.array([1.0, 0.0])}, r"layer: scale: shape \(2,\), expected \(2,\), positive"),
        ({"signs": np.ones(4, np.int8)}, "layer: hadamard_n=None: expected a block size with signs"),
        ({"hadamard_n": 4}, "layer: hadamard_n=4: expected a block size with signs, None without"),
        ({"codes": np.zeros((2, 4), np.int64)}, "weight_codes: int64"),
        (
            {"zero": np.zeros(3, np.int16), "choice": OperandChoice("int8", "int8")},
            r"layer: zero: int16 \(3,\), expected int16 \(2,\)",
        ),
    ],
)
def test_what_does_not_go_together_is_named(changes: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"choice": OperandChoice(), **changes}
    with pytest.raises(ValueError, match=message):
        program_layer("layer", weights(1, 2, 4), np.zeros(2), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("act", "weight", "zeros"),
    [("int8", "int8", False), ("int6", "int6", False), ("int8", "int8", True), ("int8", "int4", True)],
)
def test_gaussian_output_sqnr_of_wide_integers(act: str, weight: str, zeros: bool) -> None:
    """Rounding noise is uniform: step^2 / 12 per element, each operand's times the other's power."""
    rng = np.random.default_rng(7)
    w, x = rng.standard_normal((64, 1152)), rng.standard_normal((64, 1152)).astype(np.float16)
    choice = OperandChoice(act, weight, weight_zero=zeros, act_zero=zeros)
    program = program_layer("layer", w, np.zeros(64), choice)
    got = Machine(ArrayConfig(), [program]).run("layer", x.view(np.uint16)).view(np.float16)
    exact = x.astype(np.float64) @ w.T
    sqnr = 10 * np.log10((exact**2).sum() / ((got - exact) ** 2).sum())

    def noise(values: NDArray[np.float64], fmt: str) -> float:
        levels = 2 ** get(fmt).bits - 1 if zeros else 2 ** (get(fmt).bits - 1) - 1
        span = np.ptp(values, axis=1) if zeros else np.abs(values).max(axis=1)
        return float(((span / levels) ** 2).mean() / 12)

    expected = -10 * np.log10(noise(x.astype(np.float64), act) + noise(w, weight))
    assert sqnr == pytest.approx(expected, abs=0.2)
