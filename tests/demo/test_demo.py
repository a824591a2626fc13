"""The main job, small: every stage runs, and the report says what the stages found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fpsim.array.config import ArrayConfig
from fpsim.cli import app
from fpsim.demo.parallel import measure_models
from fpsim.demo.quality import Sampling, measure_model
from fpsim.dit.threads import use_threads
from fpsim.report.data import ModelQuality
from fpsim.vectors import read
from fpsim.vectors.build import set_paths

ROOT = Path(__file__).parents[2]


def ignore(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@pytest.mark.rtl
@pytest.mark.slow
def test_the_demo_runs_every_stage_and_writes_one_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # builds are kept below the repository
    out = tmp_path / "demo"
    result = CliRunner().invoke(app, ["demo", "--out", str(out), "--images", "20", "--steps", "5"])
    assert result.exit_code == 0, result.output
    assert str(out / "report.html") in result.output.replace("\n", "")
    data = json.loads((out / "results.json").read_text())
    models = {model["name"]: {row["name"]: row for row in model["rows"]} for model in data["models"]}
    assert set(models) == {"digits", "digits-stress"}
    for rows in models.values():
        assert set(rows) == {"fp32", "naive-w4a4", "rotated-w4a4"}
        assert rows["fp32"]["fd_fp32"] == rows["fp32"]["paired_mse"] == 0
        assert 0 < rows["rotated-w4a4"]["paired_mse"] < rows["naive-w4a4"]["paired_mse"]
        assert len(rows["rotated-w4a4"]["layer_sqnr_db"]) == 24
    assert models["digits-stress"]["naive-w4a4"]["accuracy"] < 0.5 < models["digits"]["fp32"]["accuracy"]
    assert {check["unit"] for check in data["rtl"]} >= {
        "decode",
        "mul",
        "mac",
        "mac_array",
        "hadamard",
        "quantizer",
        "epilogue",
    }
    assert all(check["passed"] and sum(check["vectors"].values()) > 0 for check in data["rtl"])
    assert [workload["name"] for workload in data["cost"]["workloads"]] == [
        "digits DiT",
        "DiT-XL/2 at 256 px",
    ]
    assert (out / "images-digits.png").read_bytes()[:4] == b"\x89PNG"
    sets = set_paths(out / "golden")
    assert {read(path).unit for path in sets} == {golden["unit"] for golden in data["golden"]}


def test_models_side_by_side_give_what_one_after_the_other_gives() -> None:
    sampling, config = Sampling(images=4, steps=2), ArrayConfig()
    names, recipes = ["digits", "digits-stress"], ["rotated-w4a4"]
    together = measure_models(names, recipes, config, sampling, ignore)
    use_threads(1)  # as the workers do; another thread count may round the host's float32 sums otherwise
    alone = [measure_model(name, recipes, config, sampling, ignore) for name in names]
    assert [_without_time(model) for model in together] == [_without_time(model) for model in alone]


def _without_time(model: ModelQuality) -> ModelQuality:
    return replace(model, rows=[replace(row, seconds=0.0) for row in model.rows])


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="recipe='nonsense'"):
        measure_models(["digits"], ["nonsense"], ArrayConfig(), Sampling(2, 2), ignore)
