"""Golden sets are written whole, read verified, and refused when anything about them changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.vectors import Field, GoldenSet, pack_lanes, read, unpack_lanes, write


def small_set() -> GoldenSet:
    return GoldenSet(
        unit="mul",
        config=ArrayConfig(rows=2, cols=3, unit=UnitConfig(formats=("e2m1",))),
        fields={"a": Field(4, 2), "product": Field(14, 1, "out")},
        beats={"a": [0x12, 0xF0, 0x00], "product": [5, 0x3FFF, 0]},
        seed=7,
        source="by hand",
        command="fpsim golden --unit mul",
        extra={"layer": "none"},
    )


def test_read_returns_what_write_wrote(tmp_path: Path) -> None:
    written = small_set()
    write(tmp_path / "mul" / "hand", written)
    assert read(tmp_path / "mul" / "hand") == written


def test_files_are_readmemh_words_of_full_width(tmp_path: Path) -> None:
    write(tmp_path / "set", small_set())
    assert (tmp_path / "set" / "a.hex").read_text() == "12\nf0\n00\n"
    assert (tmp_path / "set" / "product.hex").read_text() == "0005\n3fff\n0000\n"


def test_lanes_are_packed_lowest_first_in_twos_complement() -> None:
    assert pack_lanes([1, -1, 2], 4) == 0x2F1
    assert unpack_lanes(0x2F1, 4, 3) == [1, 15, 2]
    assert unpack_lanes(0x2F1, 4, 3, signed=True) == [1, -1, 2]


def test_a_rewrite_replaces_the_set_and_leaves_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "set", small_set())
    write(tmp_path / "set", small_set())
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def test_another_folder_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="exists and is not a golden set"):
        write(tmp_path / "set", small_set())
    assert (tmp_path / "set" / "thesis.txt").read_text() == "mine"


def test_an_unwritable_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        write(tmp_path / "file" / "set", small_set())
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_failed_write_keeps_the_old_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "set", small_set())

    def full_disk(self: Path, *args: object, **kwargs: object) -> int:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "set", small_set())
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["set"]
    assert read(tmp_path / "set") == small_set()


def test_a_missing_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no golden set"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "a.hex").write_text("12\nf0\n"), "truncated: 2 of 3 lines"),
        (lambda d: (d / "a.hex").write_text("12\nf1\n00\n"), "altered"),
        (lambda d: (d / "a.hex").unlink(), "missing"),
        (lambda d: (d / "manifest.json").write_text("{"), "not a golden manifest"),
        (lambda d: edit(d, lambda m: m.pop("seed")), "not a golden manifest"),
        (lambda d: edit(d, lambda m: m.update(schema_version=99)), "schema version 99, expected 1"),
        (lambda d: edit(d, lambda m: m["config"].update(rows=0)), "rows=0"),
        (lambda d: edit(d, lambda m: m["fields"]["a"].update(file="../a.hex")), "missing"),
    ],
)
def test_damage_is_refused_and_named(tmp_path: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "set"
    write(folder, small_set())
    damage(folder)
    with pytest.raises(ValueError, match=message) as caught:
        read(folder)
    assert "set" in str(caught.value)


def edit(folder: Path, change) -> None:  # type: ignore[no-untyped-def]
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_word_wider_than_its_field_is_refused() -> None:
    good = small_set()
    with pytest.raises(ValueError, match=r"beats\['a'\]\[0\]=0x100: expected 8 bits"):
        GoldenSet(
            good.unit, good.config, good.fields, {**good.beats, "a": [0x100]}, seed=0, source="", command=""
        )
