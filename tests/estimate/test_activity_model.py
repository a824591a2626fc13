"""Estimates on the codes that a model really has: as measured, layer by layer; refused elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.cli import app
from fpsim.estimate import digits, find_units
from fpsim.estimate.activity_energy import energy_by_layer, measured_model
from fpsim.estimate.activity_table import read_activity_costs
from fpsim.estimate.costs import DATA
from fpsim.estimate.result import estimate_model
from fpsim.estimate.settings import OperandSettings, Settings

UNITS = find_units("asap7", ArrayConfig().unit)
MEASURED = DATA / "activity_asap7.json"
PLAIN = Settings(model="digits")


@pytest.mark.parametrize("recipe", ["plain-e2m1", "rotated-e2m1"])
def test_a_layers_energy_is_the_mean_over_blocks_and_timesteps(recipe: str) -> None:
    found = estimate_model(digits(), replace(PLAIN, activity=recipe), UNITS)
    measured = measured_model(read_activity_costs(MEASURED), "digits", recipe)
    by_layer = energy_by_layer(measured, ArrayConfig(), UNITS)
    for cost in (cost for cost in found.layers if not cost.on_host):
        same = [c for (name, _), c in by_layer.items() if name.endswith(cost.layer.name)]
        for part in ("array", "hadamard"):
            for end in ("low", "mid", "high"):
                mean = np.mean([getattr(one.parts_pj[part], end) for one in same])
                assert getattr(cost.parts_pj[part], end) == pytest.approx(cost.layer.count * mean, rel=1e-6)


def test_only_array_and_hadamard_engine_follow_the_data() -> None:
    gaussian, real = (
        estimate_model(digits(), replace(PLAIN, activity=recipe), UNITS) for recipe in (None, "naive-w4a4")
    )
    assert real.forward.total.cycles == gaussian.forward.total.cycles
    parts = real.forward.total.parts_pj
    for part, band in gaussian.forward.total.parts_pj.items():
        assert (parts[part] == band) == (part not in ("array", "hadamard")), part
    assert parts["array"].mid < 0.85 * gaussian.forward.total.parts_pj["array"].mid  # most codes are 0


def test_the_command_takes_a_recipe() -> None:
    words = ["estimate", "--model", "digits", "--activity", "hq-dit-w4a4", "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    expected = estimate_model(digits(), replace(PLAIN, activity="hq-dit-w4a4"), UNITS)
    assert data["activity"] == "hq-dit-w4a4"
    assert data["total_energy_pj"] == expected.forward.total.energy_pj.to_dict()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activity": "nope"}, "activity='nope': recipe='nope': expected one of naive-w4a4"),
        ({"model": "dit-xl/2"}, "model='dit-xl/2': expected one of digits"),
        ({"operands": OperandSettings(activation_bits=8)}, "expected 4 and 4 in e2m1"),
        ({"operands": OperandSettings(format="int4")}, "4-bit activations in int4: expected 4 and 4 in e2m1"),
    ],
)
def test_what_was_not_measured_is_refused(changes: dict[str, object], message: str) -> None:
    settings = replace(PLAIN, **{"activity": "naive-w4a4", **changes})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        estimate_model(digits(), settings, UNITS)


def test_other_libraries_and_machines_are_refused() -> None:
    settings = replace(PLAIN, activity="naive-w4a4")
    with pytest.raises(ValueError, match="library='osu018': activity was measured for asap7"):
        estimate_model(digits(), settings, find_units("osu018", ArrayConfig().unit))
    e2m1 = ArrayConfig(unit=UnitConfig(formats=("e2m1",), acc_bits=21))
    with pytest.raises(ValueError, match="activity is costed for"):
        estimate_model(digits(), replace(settings, config=e2m1), find_units("asap7", e2m1.unit))
    with pytest.raises(ValueError, match="activity='naive-w4a4': expected none with stimulus='uniform'"):
        replace(settings, stimulus="uniform")
