"""The report's files appear together or not at all, and the JSON is strict."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fpsim.report import files
from fpsim.report.data import DemoReport
from fpsim.report.html import ReportFolderError, check_folder, write_report
from tests.report import sample


def small() -> DemoReport:
    return replace(sample.report(), models=[sample.model()], cost=sample.empty().cost)


def strict_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_report_results_and_images_are_written(tmp_path: Path) -> None:
    path = write_report(small(), tmp_path / "new" / "out")
    assert path == tmp_path / "new" / "out" / "report.html"
    assert names(path.parent) == ["images-digits.png", "report.html", "results.json"]
    assert (path.parent / "images-digits.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert strict_json((path.parent / "results.json").read_text())["seeds"] == {"signs": 20, "golden": 7}


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    write_report(sample.empty(), tmp_path)
    before = (tmp_path / "report.html").read_text()
    (tmp_path / "golden").mkdir()
    write_report(small(), tmp_path)
    assert (tmp_path / "report.html").read_text() != before
    assert names(tmp_path) == ["golden", "images-digits.png", "report.html", "results.json"]


def test_results_hold_every_number_and_infinity_as_a_string() -> None:
    row = replace(sample.recipe("r", 9, 1), layer_sqnr_db={"a": math.inf, "b": -math.inf, "c": 1 / 3})
    report = replace(sample.empty(), models=[replace(sample.model(), rows=[row])])
    data = strict_json(files.results_json(report))["models"][0]["rows"][0]
    assert data["layer_sqnr_db"] == {"a": "inf", "b": "-inf", "c": 1 / 3}
    assert set(data["epsilon_sqnr_db"]) == {str(t) for t in sample.TIMESTEPS}
    assert data["images"] == row.images


def test_numbers_of_numpy_are_numbers_and_objects_are_refused() -> None:
    assert files.strict({"a": (np.int64(3), np.float32(0.5), True, None)}) == {"a": [3, 0.5, True, None]}
    with pytest.raises(TypeError, match="expected plain data"):
        files.strict({"a": object()})


@pytest.mark.parametrize("below", ["file", "file/deeper/folder"])
def test_an_unwritable_folder_is_refused_and_leaves_nothing(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ReportFolderError, match="cannot be written"):
        write_report(small(), tmp_path / below)
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_without_permission_is_refused_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fpsim.report.files.tempfile.TemporaryFile", denied)
    monkeypatch.setattr("fpsim.report.html.render", lambda _: pytest.fail("drew for nothing"))
    with pytest.raises(ReportFolderError, match="Permission denied"):
        write_report(small(), tmp_path)
    assert names(tmp_path) == []


def test_check_folder_leaves_only_the_folder(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == []


def test_a_folder_in_a_files_place_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ReportFolderError, match="a folder has this name"):
        write_report(small(), tmp_path)
    assert names(tmp_path) == ["report.html"]


def test_a_failure_on_the_way_restores_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_set(tmp_path, {"a": b"old a", "c": b"old c"})
    replace_file = Path.replace

    def fail_on_c(self: Path, target: Path) -> Path:
        if self.name == "c" and self.parent != tmp_path:
            raise OSError(28, "No space left on device")
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", fail_on_c)
    with pytest.raises(OSError, match="No space"):
        files.write_set(tmp_path, {"a": b"new a", "b": b"new b", "c": b"new c"})
    assert names(tmp_path) == ["a", "c"]
    assert (tmp_path / "a").read_bytes() == b"old a"
    assert (tmp_path / "c").read_bytes() == b"old c"


@pytest.mark.parametrize("name", ["../evil", "", "a/b", ".hidden", "a\x00"])
def test_a_model_whose_name_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="for a file name"):
        write_report(replace(small(), models=[sample.model(name)]), tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="occurs twice"):
        write_report(replace(small(), models=[sample.model(), sample.model()]), tmp_path)
    assert names(tmp_path) == []
