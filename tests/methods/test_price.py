"""Widths, passes and cycles by hand, on phases whose programs differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fpsim.array.config import ArrayConfig
from fpsim.array.cycles import layer_cycles
from fpsim.array.program import LayerProgram
from fpsim.array.protocol import OperandBits
from fpsim.dit.model import DiT, DiTConfig
from fpsim.estimate import find_units
from fpsim.methods.price import price
from fpsim.quant.recipe import Phase, QuantizedModel

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
    return price(quantized, ROWS, SHAPES, (999, 500, 0), CONFIG, find_units("asap7", CONFIG.unit))


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
    assert found.note == "no unit in the RTL runs FP32"


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


def test_other_units_are_named_and_not_priced(model: DiT) -> None:
    found = priced(QuantizedModel.single("other", model, [program("a"), Elsewhere()]))  # type: ignore[list-item]
    assert (found.weight_bits_mac, found.passes, found.cycles) == (4, None, None)
    assert found.note == "no unit in the RTL runs Elsewhere"
