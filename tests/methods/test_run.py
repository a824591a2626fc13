"""The table end to end: what was measured is kept, used again, and measured anew where anything changed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fpsim.cli import app
from fpsim.dit.workload import domain_of
from fpsim.methods.measure import Sampling
from fpsim.methods.run import run_methods
from fpsim.report.methods import methods_table, tables_from_json

FEW = Sampling(images=4, steps=2, seeds=2)


def test_a_table_is_measured_written_and_taken_up_again(tmp_path: Path) -> None:
    events: list[tuple[str, int, int]] = []

    def run(recipes: list[str], sampling: Sampling = FEW):  # type: ignore[no-untyped-def]
        events.clear()
        (table,) = run_methods(
            tmp_path, ["digits"], recipes, sampling, "asap7", lambda *event: events.append(event)
        )
        return table

    first = run(["naive-w4a4"])
    assert ("recipes", 0, 1) in events
    assert [row.recipe for row in first.rows] == ["fp32", "naive-w4a4"]
    row = first.rows[1]
    assert [seed.seed for seed in row.seeds] == [0, 1]
    assert all(seed.fd_fp32 > 0 and seed.paired_mse > 0 for seed in row.seeds)
    assert first.rows[0].mean("fd_fp32") == 0 < first.rows[0].mean("fd_train")
    assert list(row.epsilon_sqnr_db) == [999, 0]
    assert len(first.floor) == 1
    assert first.floor[0] > 0
    assert row.price is not None
    assert (row.price.passes, row.price.weight_bits_mac) == (1, 4)

    again = run(["naive-w4a4", "rotated-w4a4"])
    assert ("recipes", 1, 2) in events  # the first line was there
    assert ("recipes", 0, 2) not in events
    assert again.rows[1] == row
    stored = json.loads((tmp_path / "methods.json").read_text())
    assert [line["recipe"] for line in stored["tables"][0]["rows"]] == ["fp32", "naive-w4a4", "rotated-w4a4"]
    lines = list(csv.DictReader((tmp_path / "methods.csv").read_text().splitlines()))
    assert [(line["recipe"], line["seed"]) for line in lines] == [
        (name, seed) for name in ("fp32", "naive-w4a4", "rotated-w4a4") for seed in "01"
    ]
    assert float(lines[2]["fd_fp32"]) == row.seeds[0].fd_fp32
    assert len(methods_table(again).rows) == 3
    text = (tmp_path / "methods.md").read_text().splitlines()
    assert text[0].startswith("digits: 4 images a seed, 2 steps")
    assert [line.split(" | ")[0] for line in text[2:]] == [
        "| recipe", "| ---", "| fp32", "| naive-w4a4", "| rotated-w4a4",
    ]  # fmt: skip
    assert len({line.count("|") for line in text[2:]}) == 1
    assert tables_from_json(tmp_path / "methods.json") == [again]

    cheap = json.loads((tmp_path / "methods.json").read_text())
    cheap["tables"][0]["rows"][1]["price"] = None
    (tmp_path / "methods.json").write_text(json.dumps(cheap))
    assert CliRunner().invoke(app, ["methods", "--out", str(tmp_path), "--reprice"]).exit_code == 0
    assert tables_from_json(tmp_path / "methods.json") == [again]

    damaged = tmp_path / "lines" / "digits-naive-w4a4.json"
    damaged.write_text(damaged.read_text()[:100])
    mended = run(["naive-w4a4"])
    assert ("recipes", 0, 1) in events
    assert [seed.fd_fp32 for seed in mended.rows[1].seeds] == [seed.fd_fp32 for seed in row.seeds]


def test_unknown_names_are_refused_before_anything_is_measured(tmp_path: Path) -> None:
    for models, recipes, message in (
        (["digits"], ["magic"], "recipe='magic': expected one of"),
        (["letters"], [], "model='letters': expected one of digits"),
    ):
        with pytest.raises(ValueError, match=message):
            run_methods(tmp_path, models, recipes, FEW, "asap7", lambda *event: None)
    assert not list(tmp_path.iterdir())
    assert domain_of("digits-stress") == "digits"


@pytest.mark.parametrize(("field", "value"), [("images", 1), ("steps", 1), ("seeds", 0), ("seeds", True)])
def test_sampling_is_checked(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{field}={value!r}: expected"):
        Sampling(**{field: value})
