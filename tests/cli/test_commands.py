"""The commands: what they print, what they refuse, and the exit code that says whether the promise held."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fpsim.cli import app

ROOT = Path(__file__).parents[2]
COMMANDS = ("demo", "sample", "golden", "formats", "bench", "verify", "characterize", "estimate")


def fpsim(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "TERM": "dumb"})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_of_itself(command: str) -> None:
    result = fpsim(command, "--help")
    assert result.exit_code == 0
    assert f"Example: fpsim {command}" in result.output


def test_the_list_of_commands_is_complete() -> None:
    listed = fpsim("--help").output
    assert all(command in listed for command in COMMANDS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sample", "--recipe", "gptq"], "recipe='gptq': expected one of naive-w4a4, rotated-w4a4"),
        (["sample", "--model", "imagenet", "--images", "2"], "model='imagenet': expected one of digits"),
        (["sample", "--images", "1"], "images=1: expected 2 to 1000"),
        (["sample", "--steps", "1001"], "steps=1001: expected 2 to 1000"),
        (["demo", "--images", "5000"], "images=5000: expected 2 to 1000"),
        (["golden", "--out", "nothing-here"], "no golden set there"),
        (["golden", "--rows", "0"], "rows=0: expected an integer from 1 to 64"),
        (["verify", "--golden", "nothing-here"], "no golden sets there; make them with: fpsim golden"),
        (["verify", "--unit", "divider", "--golden", str(ROOT / "golden")], "divider"),
        (["verify", "--report", "out", "--golden", str(ROOT / "golden")], "report='out': only with --all"),
        (["verify", "--all", "--stage", "silicon", "--golden", str(ROOT / "golden")], "stages=['silicon']"),
        (["characterize", "--liberty", "nothing.lib"], "nothing.lib"),
        (["estimate", "--model", "unet"], "model='unet': expected digits, glyphs, dit-"),
        (["estimate", "--resolution", "250"], "image=250"),
        (["estimate", "--library", "tsmc3"], "tsmc3"),
        (["estimate", "--units", "nothing.json"], "nothing.json: no file of unit costs"),
        (["estimate", "--config", "nothing.yaml"], "nothing.yaml: cannot be read"),
        (["estimate", "--csv", "nowhere/x.csv"], "csv='nowhere/x.csv': cannot be written"),
        (["estimate", "--frames", "16"], "frames=16: expected none for model='dit-xl/2'"),
        (["estimate", "--steps", "0"], "steps=0: expected an integer from 1 to 1000"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_exit_code_2(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = fpsim(*words)
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_an_unwritable_place_is_known_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for words in (
        ["demo", "--out", str(tmp_path / "file")],
        ["sample", "--out", str(tmp_path / "file" / "x.png")],
    ):
        result = fpsim(*words)
        assert result.exit_code == 2
        assert "cannot be written" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_golden_makes_the_committed_sets_again(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "golden" / "layer", tmp_path / "layer")
    result = fpsim("golden", "--out", str(tmp_path), "--json")
    assert result.exit_code == 0, result.output
    sets = json.loads(result.stdout)["sets"]
    assert len(sets) == 7
    assert all(count > 0 for words in sets.values() for count in words.values())


def test_estimate_prints_totals_with_bands() -> None:
    result = fpsim("estimate", "--model", "dit-xl/2", "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["total_macs"] == 114_152_177_664  # methods.md section 5: 114.152 GMAC of block linears
    energy = data["total_energy_pj"]
    assert 0 < energy["low"] < energy["mid"] < energy["high"]
    assert "DiT-XL/2 at 256 px" in fpsim("estimate").output


@pytest.mark.rtl
def test_verify_runs_a_users_rtl_and_fails_when_it_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # builds are kept below the repository
    golden = str(ROOT / "golden")
    right = fpsim("verify", "--unit", "decode", "--golden", golden, "--json")
    assert right.exit_code == 0, right.output
    vectors = json.loads(right.stdout)["units"][0]["vectors"]
    assert vectors["exhaustive"] == 128
    assert vectors["sequences"] > 0
    mine = tmp_path / "rtl"
    shutil.copytree(ROOT / "rtl", mine)
    source = (mine / "fpsim_decode.sv").read_text()
    assert source.count("= sign;") > 0
    (mine / "fpsim_decode.sv").write_text(source.replace("= sign;", "= ~sign;"))
    wrong = fpsim(
        "verify",
        "--unit",
        "decode",
        "--golden",
        golden,
        "--rtl",
        str(mine),
        "--failures",
        str(tmp_path / "failures"),
        "--json",
    )
    assert wrong.exit_code == 1, wrong.output
    (unit,) = json.loads(wrong.stdout)["units"]
    assert not unit["passed"]
    assert "fpsim_decode" in unit["message"]
    assert unit["message"].splitlines()[0] in wrong.stderr


@pytest.mark.rtl
def test_verify_all_writes_a_page_and_says_what_it_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    stages = [word for stage in ("simulation", "lint") for word in ("--stage", stage)]
    words = ["verify", "--all", *stages, "--unit", "decode", "--golden", str(ROOT / "golden")]
    result = fpsim(*words, "--report", str(tmp_path / "page"))
    assert result.exit_code == 0, result.output
    assert "not everything was looked at" in result.output
    assert "Left out: icarus" in result.output
    files = sorted(path.name for path in (tmp_path / "page").iterdir())
    assert files == ["junit.xml", "signoff.html", "signoff.json"]
