"""Widths, passes and cycles by hand, on phases whose programs differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fpsim.array.config import ArrayConfig
from fpsim.array.cycles import layer_cycles
from fpsim.array.program import LayerProgram
from fpsim.array.protocol import OperandBits
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig
from fpsim.estimate import find_units
from fpsim.methods.measure import rows_per_image
from fpsim.methods.price import price
from fpsim.methods.work import schedule_of
from fpsim.quant.calibration import observe_model
from fpsim.quant.mixed import ViDiTQMixed, quantized_by
from fpsim.quant.mixed_assignment import Assignment, layer_sizes
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.quant.sensitivity import equal_ranges
from fpsim.quant.viditq_layer import Width

CONFIG = ArrayConfig()
SHAPES = {"a": (16, 32), "b": (64, 32)}
ROWS = {"a": 16, "b": 4}
MACS = {"a": 16 * 16 * 32, "b": 4 * 64 * 32}


def program(name: str) -> LayerProgram:
    n, k = SHAPES[name]
    return LayerProgram(
        name,
        "e2m1",
        "e2m1",
        np.zeros((n, k), np.uint8),
        np.full(n, 127 << 10, np.uint32),
        np.zeros(n, np.uint16),
    )


class Elsewhere:
    """A kind that the array does not run."""

    name, shape, operand_bits = "b", SHAPES["b"], OperandBits(4, 4, None)


@pytest.fixture(scope="module")
def model() -> DiT:
    return DiT(DiTConfig(hidden=32, depth=1, heads=1))


def priced(quantized: QuantizedModel):  # type: ignore[no-untyped-def]
    schedule = schedule_of(quantized, ROWS, SHAPES, (999, 500, 0))
    return price(schedule, CONFIG, find_units("asap7", CONFIG.unit))


def test_four_bits_are_one_pass_and_the_arrays_cycles(model: DiT) -> None:
    found = priced(QuantizedModel.single("w4a4", model, [program("a"), program("b")]))
    assert (found.weight_bits_parameter, found.activation_bits_mac, found.passes) == (4, 4, 1)
    one = layer_cycles(CONFIG, 16, 16, 32) + layer_cycles(CONFIG, 4, 64, 32)
    assert found.cycles == 3 * one
    assert found.energy_pj is not None
    assert 0 < found.energy_pj.low < found.energy_pj.mid < found.energy_pj.high
    assert (found.phases, found.note) == (1, "")


def test_a_layer_on_the_host_counts_32_bits_and_has_no_price(model: DiT) -> None:
    found = priced(QuantizedModel.single("part", model, [program("a")]))
    parameters = {name: n * k for name, (n, k) in SHAPES.items()}
    by_parameter = (4 * parameters["a"] + 32 * parameters["b"]) / sum(parameters.values())
    by_mac = (4 * MACS["a"] + 32 * MACS["b"]) / sum(MACS.values())
    assert (found.weight_bits_parameter, found.weight_bits_mac) == (by_parameter, by_mac)
    assert (found.cycles, found.passes, found.energy_pj) == (None, None, None)
    assert found.note == "no unit costs for FP32"


def test_phases_are_weighted_by_the_timesteps_that_they_answer_for(model: DiT) -> None:
    early = Phase(999, 600, model, [program("a"), program("b")])
    wide = replace(program("b"), weight_fmt="int8")
    late = Phase(599, 0, model, [program("a"), wide])
    found = priced(QuantizedModel("mixed", [early, late]))
    by_mac = (3 * 4 * MACS["a"] + (4 + 8 + 8) * MACS["b"]) / (3 * sum(MACS.values()))
    assert found.weight_bits_mac == pytest.approx(by_mac)
    assert found.activation_bits_mac == 4
    assert found.passes == pytest.approx((3 * MACS["a"] + 5 * MACS["b"]) / (3 * sum(MACS.values())))
    a, b, b_wide = (
        layer_cycles(CONFIG, 16, 16, 32), layer_cycles(CONFIG, 4, 64, 32), layer_cycles(CONFIG, 4, 64, 64),
    )  # fmt: skip
    assert found.cycles == 3 * a + b + 2 * b_wide
    assert found.phases == 2


def test_a_video_models_assignment_has_a_price() -> None:
    """Nine linears at two widths in two ranges, over the rows that one video feeds them."""
    torch.manual_seed(0)
    video = VideoDiT(VideoDiTConfig(depth=1)).eval().requires_grad_(False)
    shapes = {name: (x.out_features, x.in_features) for name, x in block_linears(video).items()}
    rows, steps = rows_per_image(video, "video"), (999, 666, 333, 0)
    tokens = 3 * (12 // 4) ** 2
    assert rows == {name: 4 if name.endswith(".kv") else tokens for name in shapes}
    widths, ranges = (Width(4, 4), Width(8, 8)), equal_ranges(4, 2)
    seen = observe_model(video, torch.zeros(2, 3, 12, 12), torch.zeros(2, 2, dtype=torch.int64), steps=4)
    programs = ViDiTQMixed(widths=widths).programs(video, seen, {}, CONFIG)
    assignment = Assignment(
        tuple(shapes), ranges, tuple((widths["mlp" in name], widths[0]) for name in shapes)
    )
    quantized = quantized_by("video", video, programs, {}, assignment, steps)
    assert [(phase.first, phase.last) for phase in quantized.phases] == [(999, 500), (499, 0)]
    found = price(schedule_of(quantized, rows, shapes, steps), CONFIG, find_units("asap7", CONFIG.unit))
    sizes = layer_sizes(video, torch.zeros(1, 3, 12, 12), torch.zeros(1, 2, dtype=torch.int64))
    assert found.passes == pytest.approx(assignment.mean("passes", "mac", sizes))
    assert found.weight_bits_parameter == pytest.approx(assignment.mean("weight-bits", "parameter", sizes))
    assert found.cycles == 2 * sum(
        layer_cycles(CONFIG, rows[name], n, k * wide)
        for name, (n, k) in shapes.items()
        for wide in ((4 if "mlp" in name else 1), 1)
    )


def test_other_units_are_named_and_not_priced(model: DiT) -> None:
    found = priced(QuantizedModel.single("other", model, [program("a"), Elsewhere()]))  # type: ignore[list-item]
    assert (found.weight_bits_mac, found.passes, found.cycles) == (4, None, None)
    assert found.note == "no unit costs for Elsewhere"
