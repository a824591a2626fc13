"""`fpsim estimate`: settings from a file, options before it, CSV, the speed that is promised."""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fpsim.cli import app
from fpsim.cli_estimate import DEFAULTS
from fpsim.estimate.settings import Settings

ROOT = Path(__file__).parents[2]
SETTINGS = """\
model: dit-xl/2
resolution: 512
steps: 20
guidance: true
on_array: [linear, attention, modulation]
array: {rows: 32, cols: 32}
layers:
  mlp.fc2: {activation_bits: 8}
memory: {dram_bytes_per_cycle: 25.6}
"""


def fpsim(*words: str) -> Result:
    return CliRunner().invoke(app, ["estimate", *words], env={"COLUMNS": "80", "TERM": "dumb"})


def test_the_defaults_that_help_shows_hold() -> None:
    settings = Settings()
    shown = {name: getattr(settings, name) for name in ("model", "resolution", "steps", "library")}
    shown |= {"rows": settings.config.rows, "cols": settings.config.cols}
    assert {name: str(value) for name, value in shown.items()} == DEFAULTS


def test_a_file_of_settings_and_options_before_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(SETTINGS)
    result = fpsim("--config", str(path), "--steps", "10", "--cols", "16", "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert (data["name"], data["passes_per_image"]) == ("DiT-XL/2 at 512 px", 20)
    assert (data["config"]["rows"], data["config"]["cols"]) == (32, 16)
    layers = {layer["layer"]: layer for layer in data["layers"]}
    assert [layers[name]["passes"] for name in ("mlp.fc1", "mlp.fc2")] == [1, 2]
    assert layers["attn.qk"]["runs_on"] == layers["adaLN"]["runs_on"] == "array"
    assert layers["final.linear"]["runs_on"] == "host"
    assert layers["adaLN"]["stall_cycles"] > 0  # one row: its weights come too slowly
    assert data["image"]["cycles"] == 20 * data["total_cycles"]
    assert data["image"]["energy_pj"]["high"] == pytest.approx(20 * data["total_energy_pj"]["high"])
    assert data["block"]["macs"] * 28 == data["total_macs"]


def test_the_csv_has_every_layer_and_names_its_units(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    result = fpsim("--model", "pixart-alpha", "--steps", "4", "--csv", str(path), "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    with path.open(newline="") as file:
        rows = {row["layer"]: row for row in csv.DictReader(file)}
    assert list(rows)[-3:] == ["block", "forward pass", "image"]
    assert len(rows) == len(data["layers"]) + 3
    for layer in data["layers"]:
        row = rows[layer["layer"]]
        assert int(row["work_MAC"]) == layer["macs"]
        if layer["runs_on"] == "host":
            assert row["energy_mid_pJ"] == row["time_cycle"] == ""
        else:
            assert int(row["time_cycle"]) == layer["cycles"]
            assert float(row["latency_us"]) == pytest.approx(layer["cycles"] / 100)
            assert float(row["energy_mid_pJ"]) == pytest.approx(layer["total_energy_pj"]["mid"])
            assert float(row["dram_high_pJ"]) == layer["energy_pj"]["dram"]["high"]
    linear = [row for row in rows.values() if row["kind"] == "linear"]
    assert sum(float(row["energy_low_pJ"]) for row in linear) == pytest.approx(
        float(rows["forward pass"]["energy_low_pJ"])
    )
    assert int(rows["image"]["time_cycle"]) == 4 * int(rows["forward pass"]["time_cycle"])
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_text_fits_a_terminal_and_says_what_an_image_takes() -> None:
    result = fpsim("--model", "stdit", "--frames", "4", "--steps", "2", "--guidance")
    assert result.exit_code == 0, result.output
    assert "STDiT-XL/2, 4 frames at 256 px" in result.output
    assert "one video, 4 forward passes: " in result.output
    assert "attn_temp.qkv ×28" in result.output


def test_settings_that_are_wrong_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("model: digits\nmemory:\n  dram_byte_per_cycle: 8\n")
    result = fpsim("--config", str(path), "--csv", str(tmp_path / "out.csv"))
    assert result.exit_code == 2
    assert "settings.yaml:3: memory.dram_byte_per_cycle: no such field; did you mean" in result.output
    assert not (tmp_path / "out.csv").exists()


def test_it_takes_less_than_five_seconds(tmp_path: Path) -> None:
    """A new process, command to last byte: its processor time, whatever else the machine does."""
    path = tmp_path / "settings.yaml"
    path.write_text(SETTINGS)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = ("estimate", "--model", "dit-xl/2", "--resolution", "512", "--config", str(path), "--json")
    done = subprocess.run(
        [sys.executable, "-m", "fpsim", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert json.loads(done.stdout)["name"] == "DiT-XL/2 at 512 px"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
