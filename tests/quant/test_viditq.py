"""ViDiT-Q: factors as the papers write them, rows on their own, codes that mean what the formula says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fpsim.array.config import ArrayConfig
from fpsim.array.layer import Machine
from fpsim.array.program import LayerProgram
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig
from fpsim.quant.calibration import Calibration, observe_model
from fpsim.quant.execute import on_machine
from fpsim.quant.linears import weight_of
from fpsim.quant.recipes import RECIPES
from fpsim.quant.viditq import VIDITQ_RECIPES, ViDiTQ
from fpsim.quant.viditq_double import double_cost
from fpsim.quant.viditq_factors import static_factors, timestep_factors
from fpsim.quant.viditq_layer import LayerCoder, Width

CONFIG = ArrayConfig()
NOISE = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(6)
RNG = np.random.default_rng(4)


@pytest.fixture(scope="module")
def model() -> DiT:
    torch.manual_seed(6)
    dit = DiT(DiTConfig(hidden=96, depth=1, heads=3))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return dit.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def calibration(model: DiT) -> Calibration:
    return observe_model(model, NOISE, LABELS, steps=6)


def eps(executed: object, noise: torch.Tensor, t: int, labels: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = executed(noise, torch.full((len(noise),), t), labels)  # type: ignore[operator]
    return result


def halves(rows: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return rows.astype(np.float16).view(np.uint16)


def test_static_factors_are_the_published_formula() -> None:
    act, weight = np.array([4.0, 0.5, 100.0]), np.array([0.25, 2.0, 0.01])
    expected = [weight[i] ** 0.75 / act[i] ** 0.25 for i in range(3)]
    assert static_factors(act, weight, 0.75) == pytest.approx(expected, rel=1e-6)
    assert static_factors(act, weight, 1.0) == pytest.approx(weight, rel=1e-6)
    assert static_factors(act, weight, 0.0) == pytest.approx(1 / act, rel=1e-6)


def test_a_channel_without_signal_or_weight_is_left_alone() -> None:
    factors = static_factors(np.array([0.0, 3.0, 2.0]), np.array([1.0, 0.0, 2.0]), 0.5)
    assert list(factors) == [1.0, 1.0, 1.0]


def test_timestep_factors_average_with_momentum_and_then_divide() -> None:
    act = np.array([[2.0, 8.0], [4.0, 1.0], [1.0, 1.0]])
    averaged = 0.95 * (0.95 * act[0] + 0.05 * act[1]) + 0.05 * act[2]
    weight = np.array([0.3, 0.7])
    s = averaged**0.11 / weight**0.89
    assert 1 / timestep_factors(act, weight) == pytest.approx(s, rel=1e-6)


@pytest.mark.parametrize(
    ("act", "weight", "alpha", "message"),
    [
        ([1.0], [1.0], 1.5, "alpha=1.5: expected 0 to 1"),
        ([1.0, 2.0], [1.0], 0.5, r"expected \(K,\) twice"),
        ([-1.0], [1.0], 0.5, "expected finite magnitudes"),
        ([np.nan], [1.0], 0.5, "expected finite magnitudes"),
    ],
)
def test_illegal_statistics_are_refused(
    act: list[float], weight: list[float], alpha: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        static_factors(np.array(act), np.array(weight), alpha)


@pytest.mark.parametrize("bits", [(4, 4), (4, 8), (6, 6), (8, 8)])
def test_codes_mean_what_the_formula_says(bits: tuple[int, int]) -> None:
    """Against x_int = clamp(round(x / s) + z, 0, 2^b - 1) on both sides, in float64 and without rotation."""
    width = Width(*bits)
    weight, bias, x = RNG.standard_normal((24, 48)), RNG.standard_normal(24), RNG.standard_normal((40, 48))
    weight[3] += 5  # a channel off centre
    x[7] -= 4  # a row off centre
    x = x.astype(np.float16).astype(np.float64)
    program = LayerCoder(rotate=False).code("layer", weight, bias, width, CONFIG)
    y = Machine(CONFIG, [program]).run("layer", halves(x)).view(np.float16)

    def coded(values: np.ndarray, b: int) -> np.ndarray:  # type: ignore[type-arg]
        low = values.min(axis=1, keepdims=True).clip(max=0)
        s = (values.max(axis=1, keepdims=True).clip(min=0) - low) / (2**b - 1)
        z = np.round(-low / s)
        result: np.ndarray = (np.clip(np.round(values / s) + z, 0, 2**b - 1) - z) * s  # type: ignore[type-arg]
        return result

    expected = coded(x, bits[1]) @ coded(weight, bits[0]).T + bias
    exact = x @ weight.T + bias
    error = np.linalg.norm(exact - expected)
    # Scales of 11 bits move a few codes across a boundary, the more the more codes there are.
    assert np.linalg.norm(y - expected) < 0.5 * error
    assert np.linalg.norm(y - exact) == pytest.approx(error, rel=0.05)
    assert program.operand_bits.passes == {(4, 4): 1, (4, 8): 2, (6, 6): 4, (8, 8): 4}[bits]


def test_balanced_and_rotated_weights_give_the_same_layer() -> None:
    """At 8 bits the machine must come within 1.5 % of W x + b through factors, rotation and zero points."""
    weight, bias, x = RNG.standard_normal((24, 96)), RNG.standard_normal(24), RNG.standard_normal((40, 96))
    factors = np.exp(0.3 * RNG.standard_normal(96)).astype(np.float32)
    program = LayerCoder().code("layer", weight, bias, Width(8, 8), CONFIG, factors=factors)
    assert program.hadamard_n == 96
    y = Machine(CONFIG, [program]).run("layer", halves(x * factors)).view(np.float16).astype(np.float64)
    exact = x @ weight.T + bias
    assert np.linalg.norm(y - exact) < 0.015 * np.linalg.norm(exact)


@pytest.mark.parametrize("recipe", VIDITQ_RECIPES, ids=lambda recipe: recipe.name)
def test_a_row_does_not_depend_on_its_batch(recipe: ViDiTQ, model: DiT, calibration: Calibration) -> None:
    """So the halves of guidance share nothing, which the paper's `cfg_split` has to arrange."""
    phase = recipe.quantize(model, calibration, CONFIG).phases[0]
    machine = Machine(CONFIG, phase.programs)
    for program in phase.programs:
        rows = halves(RNG.standard_normal((6, program.shape[1])))
        loud = halves(1000 * RNG.standard_normal((6, program.shape[1])))
        together = machine.run(program.name, np.concatenate([rows, loud]))
        assert (together[:6] == machine.run(program.name, rows)).all()
        assert (together[6:] == machine.run(program.name, loud)).all()
        assert (machine.run(program.name, rows[::-1].copy()) == together[5::-1]).all()


@pytest.mark.parametrize("recipe", VIDITQ_RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_are_registered_and_code_every_layer_alike(
    recipe: ViDiTQ, model: DiT, calibration: Calibration
) -> None:
    assert RECIPES[recipe.name] is recipe
    quantized = recipe.quantize(model, calibration, CONFIG)
    for phase in quantized.phases:
        assert [p.name for p in phase.programs] == list(block_linears(model))
        for p in phase.programs:
            assert isinstance(p, LayerProgram)
            assert (p.operand_bits.weight, p.operand_bits.activation) == (recipe.weight_bits, recipe.act_bits)
            assert p.act_zero == "row"
            assert p.weight_zero is not None
            assert p.static is None
            assert (p.signs is not None) == recipe.rotate


def test_the_earlier_version_has_weights_for_two_ranges(model: DiT, calibration: Calibration) -> None:
    quantized = RECIPES["vidit-q-cb-w4a8"].quantize(model, calibration, CONFIG)
    assert [(phase.first, phase.last) for phase in quantized.phases] == [(999, 501), (500, 0)]
    early, late = quantized.phases
    name = "blocks.0.mlp.fc2"
    assert (early.input_scale[name] != late.input_scale[name]).any()
    codes = [
        next(p for p in phase.programs if p.name == name).weight_codes  # type: ignore[attr-defined]
        for phase in quantized.phases
    ]
    assert (codes[0] != codes[1]).any()
    seen = calibration.channel_amax[name][3:]  # 400, 200 and 0 of six even steps
    weight_max = np.abs(weight_of(block_linears(model)[name])).max(axis=0)
    assert (late.input_scale[name] == timestep_factors(seen, weight_max)).all()


def test_the_published_version_takes_its_factors_from_the_first_step(
    model: DiT, calibration: Calibration
) -> None:
    recipe = ViDiTQ()
    later = dict(calibration.channel_max)
    for name in later:
        later[name] = later[name].copy()
        later[name][1:] *= 7
    changed = replace(calibration, channel_max=later)
    before, after = (recipe.factors(model, c) for c in (calibration, changed))
    assert all((before[name] == after[name]).all() for name in before)
    later[name][0] *= 7
    assert (recipe.factors(model, replace(calibration, channel_max=later))[name] != before[name]).any()


def test_layers_that_are_kept_run_in_floating_point(model: DiT, calibration: Calibration) -> None:
    everything = ViDiTQ(keep=("*",)).quantize(model, calibration, CONFIG)
    assert not everything.programs
    got = eps(on_machine(everything, CONFIG), NOISE, 500, LABELS)
    assert torch.equal(got, eps(model, NOISE, 500, LABELS))
    some = ViDiTQ(4, 4, keep=("*.mlp.fc2", "*.attn.proj")).quantize(model, calibration, CONFIG)
    assert [p.name for p in some.programs] == ["blocks.0.attn.qkv", "blocks.0.mlp.fc1"]
    assert set(some.phases[0].input_scale) == {p.name for p in some.programs}


def test_gptq_lowers_the_error_on_the_calibrated_rows(model: DiT, calibration: Calibration) -> None:
    name = "blocks.0.mlp.fc2"
    rows = calibration.rows[name]
    exact = rows @ weight_of(block_linears(model)[name]).T

    def error(gptq: bool) -> float:
        recipe = ViDiTQ(4, 8, gptq=gptq)
        weight, bias = weight_of(block_linears(model)[name]), np.zeros(exact.shape[1])
        factors = recipe.factors(model, calibration)[name]
        program = recipe.coder.code(name, weight, bias, Width(4, 8), CONFIG, factors=factors, rows=rows)
        y = Machine(CONFIG, [program]).run(name, halves(rows * factors)).view(np.float16)
        return float(np.linalg.norm(y - exact))

    assert error(True) < 0.9 * error(False)


def test_quantizing_twice_costs_decibels_at_4_bits(model: DiT, calibration: Calibration) -> None:
    costs = double_cost(ViDiTQ(4, 8), model, calibration, CONFIG, NOISE, LABELS, steps=2)
    assert list(costs) == list(block_linears(model))
    assert 1 < np.mean([cost.cost for cost in costs.values()]) < 6  # two errors of about one size: 3 dB


def test_illegal_options_are_refused(model: DiT, calibration: Calibration) -> None:
    with pytest.raises(ValueError, match="weight=5: expected 4, 6 or 8 bits"):
        ViDiTQ(5, 8).quantize(model, calibration, CONFIG)
    with pytest.raises(ValueError, match="balancing='dynamic': expected 'static-dynamic', 'timestep' or"):
        ViDiTQ(balancing="dynamic").quantize(model, calibration, CONFIG)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rows: expected calibration rows for GPTQ"):
        LayerCoder(gptq=True).code("layer", np.eye(8), np.zeros(8), Width(4, 8), CONFIG)
    late = replace(calibration, timesteps=tuple(range(6)))
    with pytest.raises(ValueError, match="no timestep from 999 to 501"):
        RECIPES["vidit-q-cb-w4a8"].quantize(model, late, CONFIG)


def test_the_video_model_is_quantized_alike() -> None:
    torch.manual_seed(1)
    video = VideoDiT(VideoDiTConfig(depth=1))
    with torch.no_grad():
        for parameter in video.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    video.eval().requires_grad_(False)
    noise, labels = torch.randn(2, 3, 12, 12), torch.tensor([[0, 1], [2, 3]])
    seen = observe_model(video, noise, labels, steps=2)  # type: ignore[arg-type]
    exact = eps(video, noise, 500, labels)
    errors = []
    for bits in (4, 8):
        quantized = ViDiTQ(8, bits).quantize(video, seen, CONFIG)
        assert [program.name for program in quantized.programs] == list(block_linears(video))
        errors.append(float((eps(on_machine(quantized, CONFIG), noise, 500, labels) - exact).norm()))
    assert 0 < errors[1] < 0.2 * errors[0] < 0.2 * float(exact.norm())
