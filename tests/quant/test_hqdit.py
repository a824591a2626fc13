"""HQ-DiT: each part is where the recipe says, the model computes the same, and the parts lower the error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.array.uniform import rotate_float, rotation_matrix
from fpsim.dit.checkpoint import load_noise
from fpsim.dit.hooks import block_linears
from fpsim.dit.workload import load_model
from fpsim.quant.array_rows import array_rows
from fpsim.quant.calibration import observe_model
from fpsim.quant.execute import in_float, on_machine
from fpsim.quant.hq_recipes import HQ_RECIPES
from fpsim.quant.hqdit import HQDiT, channel_factors
from fpsim.quant.linears import weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.recipes import RECIPES
from fpsim.quant.rotation import largest_transform, random_signs, rotate_columns
from fpsim.quant.sqnr import epsilon_sqnr
from tests.quant.small import agree, at, small_calibration, small_model

CONFIG = ArrayConfig()


def quantize(recipe: HQDiT) -> QuantizedModel:
    return recipe.quantize(small_model(), small_calibration(), CONFIG)


def programs(recipe: HQDiT) -> dict[str, LayerProgram]:
    return {p.name.split(".")[-1]: p for p in quantize(recipe).programs if isinstance(p, LayerProgram)}


def error(quantized: QuantizedModel) -> float:
    """Of the predicted noise at four timesteps."""
    executed = on_machine(quantized, CONFIG)
    return sum(float((at(executed, t) - at(small_model(), t)).square().sum()) for t in (999, 666, 333, 0))


@pytest.mark.parametrize(
    ("size", "n"),
    [
        (96, 96),
        (384, 384),
        (1152, 1152),
        (4608, 4608),
        (72, 72),
        (64, 64),
        (80, 16),
        (24, 24),
        (9, 1),
        (6, 2),
    ],
)
def test_the_widest_transform_of_a_width_divides_it(size: int, n: int) -> None:
    assert largest_transform(size) == n


@pytest.mark.parametrize("n", [1, 2, 12, 36, 72, 144, 288])
def test_rotated_weights_and_the_machines_rotated_rows_give_the_same_product(n: int) -> None:
    """Also where H is not symmetric (12 · 2^k), and the rotation is that of the float imitation."""
    rng = np.random.default_rng(n)
    weight, x = rng.standard_normal((5, 288)), rng.standard_normal((3, 288))
    signs = random_signs(288, 0, "layer")
    rotated = rotate_columns(weight, n, signs)
    assert rotate_columns(x, n, signs) @ rotated.T == pytest.approx(x @ weight.T, abs=1e-12)
    machine = rotate_float(x.astype(np.float32), rotation_matrix(n, signs))
    assert machine @ rotated.T == pytest.approx(x @ weight.T, abs=1e-4)


def test_rotation_of_fp16_weights_is_one_rounding_of_the_exact_sum() -> None:
    weight = np.random.default_rng(0).standard_normal((4, 96)).astype(np.float16).astype(np.float64)
    weight[0, :3] = [65504, 2.0**-24, -(2.0**-24)]
    signs = random_signs(96, 0, "layer")
    hadamard = np.rint(rotate_columns(np.eye(96), 96, np.ones(96, np.int8)) * np.sqrt(96)).astype(int)
    exact = [
        [
            sum(int(w * 2**24) * int(s) * int(h) for w, s, h in zip(row, signs, hadamard[:, j], strict=True))
            for j in range(96)
        ]
        for row in weight
    ]
    expected = np.array([[total / 2**24 for total in row] for row in exact]) / np.sqrt(96)
    assert (rotate_columns(weight, 96, signs) == expected).all()


def test_transforms_are_online_and_full_but_for_proj() -> None:
    found = programs(HQDiT())
    assert {name: p.hadamard_n for name, p in found.items()} == {
        "qkv": 48,
        "proj": None,
        "fc1": 48,
        "fc2": 192,
    }
    assert all((p.signs is None) == (p.hadamard_n is None) for p in found.values())
    assert {name: p.hadamard_n for name, p in programs(HQDiT(hadamard=8)).items()} == {
        "qkv": 8,
        "proj": None,
        "fc1": 8,
        "fc2": 8,
    }
    assert all(p.signs is None for p in programs(HQDiT(hadamard=None)).values())


@pytest.mark.parametrize("hadamard", ["full", 8, None])
@pytest.mark.parametrize("activation", ["token", "channel"])
def test_without_rounding_the_folded_model_computes_the_same(hadamard, activation) -> None:  # type: ignore[no-untyped-def]
    quantized = quantize(HQDiT(hadamard=hadamard, activation=activation))
    expected = at(small_model(), 500)
    assert float((at(quantized.model, 500) - expected).norm()) < 1e-4 * float(expected.norm())
    assert set(quantized.phases[0].input_scale) == (
        {"blocks.0.mlp.fc2"} if activation == "channel" else set()
    )


@pytest.mark.parametrize("recipe", HQ_RECIPES, ids=lambda recipe: recipe.name)
def test_the_machine_and_the_float_imitation_agree(recipe: HQDiT) -> None:
    quantized = quantize(recipe)
    assert [p.name for p in quantized.programs] == list(block_linears(small_model()))
    for program in quantized.programs:
        agree(program)
    assert RECIPES[recipe.name] is recipe


def test_weights_of_every_format_are_what_the_codes_say() -> None:
    """qkv's codes under its scales, rotated back, are the weights up to the rounding of four bits."""
    for fmt in ("e2m1", "e3m0", "e1m2"):
        program = programs(HQDiT(weight_fmt=fmt, gptq=False))["fc1"]
        assert program.weight_fmt == fmt
        exact = weight_of(block_linears(small_model())["blocks.0.mlp.fc1"])
        got = in_float(quantize(HQDiT(weight_fmt=fmt, gptq=False)), CONFIG)
        assert float((at(got, 700) - at(small_model(), 700)).norm()) < float(at(small_model(), 700).norm())
        assert program.shape == exact.shape


def test_chosen_layers_stay_in_floating_point() -> None:
    quantized = quantize(HQDiT(keep=("*.mlp.fc2", "blocks.0.attn.*")))
    assert [p.name for p in quantized.programs] == ["blocks.0.mlp.fc1"]
    assert torch.equal(
        at(on_machine(quantize(HQDiT(keep=("*",), hadamard=None)), CONFIG), 5), at(small_model(), 5)
    )


def test_the_choice_by_error_has_no_larger_error_than_the_statistics() -> None:
    by_error, by_reach = (error(quantize(HQDiT(weight_fmt=how, gptq=False))) for how in ("error", "reach"))
    assert by_error < 1.5 * by_reach  # of the weights it is the smallest; the model's may differ a little


def test_gptq_lowers_the_layers_output_error_on_the_rows_that_the_array_sees() -> None:
    for name, hadamard in (("fc1", "full"), ("fc2", None)):
        layer = f"blocks.0.mlp.{name}"
        exact = weight_of(block_linears(small_model())[layer])
        errors = []
        for gptq in (True, False):
            program = programs(HQDiT(weight_fmt="e2m1", act_fmt="e2m1", gptq=gptq, hadamard=hadamard))[name]  # type: ignore[arg-type]
            rows = small_calibration().rows[layer]
            n, signs = program.hadamard_n, program.signs
            seen = array_rows(layer, rows, CONFIG.unit, fmt="e2m1", signs=signs, n=n)
            rotated = exact if signs is None or n is None else rotate_columns(exact, n, signs)
            run = replace(program, bias=np.zeros_like(program.bias)).fake(CONFIG.unit)
            got = run(rows) - seen @ rotated.T
            errors.append(float(np.square(got).sum()))
        assert errors[0] < 0.8 * errors[1]


def test_array_rows_are_what_the_float_imitation_multiplies() -> None:
    rows = small_calibration().rows["blocks.0.mlp.fc2"]
    signs = random_signs(192, 0, "fc2")
    seen = array_rows("fc2", rows, CONFIG.unit, fmt="e2m1", signs=signs, n=192)
    exact = rotate_columns(rows.astype(np.float64), 192, signs)
    amax = np.abs(exact).max(axis=1, keepdims=True)
    assert (np.abs(seen - exact) <= amax / 6 * (1 + 2.0**-8)).all()  # half of E2M1's widest gap
    assert np.abs(seen).max(axis=1) == pytest.approx(amax[:, 0], rel=2.0**-9)


def test_channel_factors_make_every_channel_as_large_as_the_median_one() -> None:
    amax = np.array([[1, 0, 8, 2], [4, 0, 2, 1]], np.float32)
    assert channel_factors(amax).tolist() == [1, 1, 2, 0.5]
    assert channel_factors(np.zeros((2, 3), np.float32)).tolist() == [1, 1, 1]


def test_illegal_options_are_refused() -> None:
    with pytest.raises(ValueError, match="activation='row': expected token, channel or tensor"):
        HQDiT(activation="row")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="hadamard=7: expected 'full', None or a divisor of"):
        quantize(HQDiT(hadamard=7))


def test_every_part_helps_the_digits_with_outliers() -> None:
    """Predicted noise on the float trajectory: GPTQ and transforms bring decibels, and naive is far below."""
    model, start = load_model("digits-stress"), load_noise(10)
    calibration = observe_model(model, start.noise[4:], start.labels[4:], steps=5)

    def decibel(name: str) -> float:
        quantized = RECIPES[name].quantize(model, calibration, CONFIG)
        return epsilon_sqnr(model, quantized, CONFIG, start.noise[:4], start.labels[:4], steps=2)[999]

    whole = decibel("hq-dit-w4a4")
    assert whole > decibel("hq-dit-w4a4-no-gptq") + 0.5
    assert whole > decibel("hq-dit-w4a4-no-hadamard") + 1
    assert whole > decibel("naive-w4a4") + 15
