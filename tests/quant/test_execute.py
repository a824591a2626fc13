"""Phases change at their timesteps, the host scales rows before FP16, and the float imitation is close."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT, DiTConfig
from fpsim.quant.calibration import ROW_SAMPLES, Calibration, observe_model
from fpsim.quant.execute import in_float, on_machine
from fpsim.quant.linears import weight_of
from fpsim.quant.naive import NaiveStatic
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.quant.rotated import RotatedPerToken

CONFIG = ArrayConfig()
NOISE = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(4)


@pytest.fixture(scope="module")
def model() -> DiT:
    torch.manual_seed(6)
    dit = DiT(DiTConfig(hidden=64, depth=1, heads=2))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return dit.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def calibration(model: DiT) -> Calibration:
    return observe_model(model, NOISE, LABELS, steps=4)


def at(model: object, timestep: int) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model(NOISE, torch.full((4,), timestep), LABELS)  # type: ignore[operator]
    return result


def test_each_phase_answers_for_its_timesteps(model: DiT, calibration: Calibration) -> None:
    coarse = NaiveStatic().quantize(model, calibration, CONFIG)
    fine = RotatedPerToken().quantize(model, calibration, CONFIG)
    early = replace(coarse.phases[0], last=500)
    late = replace(fine.phases[0], first=499)
    both = on_machine(QuantizedModel("both", [early, late]), CONFIG)
    for timestep, alone in ((999, coarse), (500, coarse), (499, fine), (0, fine)):
        assert torch.equal(at(both, timestep), at(on_machine(alone, CONFIG), timestep))
    assert not torch.equal(at(both, 500), at(on_machine(fine, CONFIG), 500))


@pytest.mark.parametrize(
    "ranges", [[(999, 1)], [(998, 0)], [(999, 500), (500, 0)], [(999, 500), (498, 0)], []]
)
def test_phases_must_cover_every_timestep_once(model: DiT, ranges: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="phases: "):
        QuantizedModel("broken", [Phase(first, last, model, []) for first, last in ranges])


def test_one_call_has_one_timestep(model: DiT, calibration: Calibration) -> None:
    executed = on_machine(NaiveStatic().quantize(model, calibration, CONFIG), CONFIG)
    with pytest.raises(ValueError, match="expected one timestep for all samples"):
        executed(NOISE, torch.tensor([1, 1, 2, 1]), LABELS)


def test_a_layer_without_a_program_stays_in_float(model: DiT) -> None:
    assert torch.equal(at(on_machine(QuantizedModel.single("none", model, []), CONFIG), 700), at(model, 700))


def test_input_scales_move_a_power_of_two_between_rows_and_weights(
    model: DiT, calibration: Calibration
) -> None:
    """x · 2 and W / 2 give the same bits: FP16 rows, row scales and column scales all take it exactly."""
    name = "blocks.0.mlp.fc2"
    plain = RotatedPerToken().quantize(model, calibration, CONFIG)
    program = next(p for p in plain.programs if p.name == name)
    halved = replace(program, col_scale=program.col_scale - np.uint32(1 << 10))  # type: ignore[type-var, attr-defined]
    programs = [halved if p.name == name else p for p in plain.programs]
    doubled = QuantizedModel.single(
        "doubled", plain.model, programs, {name: np.full(program.shape[1], 2, np.float32)}
    )
    assert torch.equal(at(on_machine(doubled, CONFIG), 300), at(on_machine(plain, CONFIG), 300))
    unscaled = QuantizedModel.single("unscaled", plain.model, programs)
    assert not torch.equal(at(on_machine(unscaled, CONFIG), 300), at(on_machine(plain, CONFIG), 300))


@pytest.mark.parametrize(
    "recipe", [NaiveStatic(), RotatedPerToken(), NaiveStatic("int4"), RotatedPerToken("e3m0")]
)
def test_the_float_imitation_differs_from_the_machine_by_fp16_and_boundaries_only(
    recipe: NaiveStatic | RotatedPerToken, model: DiT, calibration: Calibration
) -> None:
    quantized = recipe.quantize(model, calibration, CONFIG)
    exact, real, fake = (
        at(model, 400),
        at(on_machine(quantized, CONFIG), 400),
        at(in_float(quantized, CONFIG), 400),
    )
    error = float((real - exact).norm())
    assert 0 < float((real - fake).norm()) < 0.3 * error


def test_calibration_keeps_extremes_of_every_step_and_rows_of_some(
    model: DiT, calibration: Calibration
) -> None:
    assert calibration.timesteps == (999, 666, 333, 0)
    for name, linear in block_linears(model).items():
        k = linear.in_features
        assert calibration.channel_max[name].shape == calibration.channel_min[name].shape == (4, k)
        rows, step = calibration.rows[name], calibration.row_step[name]
        assert rows.shape == (min(ROW_SAMPLES, 4 * 4) * 16, k)
        assert (rows <= calibration.channel_max[name][step]).all()
        assert (rows >= calibration.channel_min[name][step]).all()
        # 16 of 16 pairs were kept, so the extremes are among the rows.
        assert (rows.max(axis=0) == calibration.channel_max[name].max(axis=0)).all()
        assert calibration.amax[name] == np.abs(rows).max()
    assert weight_of(block_linears(model)["blocks.0.attn.qkv"]).shape == (192, 64)
