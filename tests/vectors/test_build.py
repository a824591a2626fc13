"""The committed golden sets are what the law makes of the committed rows, file by file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig
from fpsim.dit.diffusion import ddim_timesteps
from fpsim.vectors import read, unpack_lanes
from fpsim.vectors.build import build_sets, set_paths

GOLDEN = Path(__file__).parents[2] / "golden"
UNITS = ["align", "epilogue", "hadamard", "layer", "mac_array", "quantizer", "row_scale"]


def test_every_unit_has_a_committed_set_for_the_default_machine() -> None:
    sets = {path.parent.name: read(path) for path in set_paths(GOLDEN)}
    assert sorted(sets) == UNITS
    assert all(golden.config == ArrayConfig() for golden in sets.values())
    assert all(golden.command == "fpsim golden" for golden in sets.values())


def test_tiles_are_of_every_kind_of_layer_at_several_timesteps() -> None:
    tiles = read(GOLDEN / "layer" / "digits").extra["tiles"]
    assert {tile["layer"].split(".")[-1] for tile in tiles} == {"qkv", "proj", "fc1", "fc2"}
    assert {tile["timestep"] for tile in tiles} >= {ddim_timesteps(20)[i] for i in (0, 10, 19)}
    assert {bool(tile["static"]) for tile in tiles} == {True, False}


def test_making_the_sets_again_changes_no_byte(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "layer", tmp_path / "layer")
    paths = build_sets(tmp_path, ArrayConfig())
    assert [path.parent.name for path in sorted(paths)] == UNITS
    for path in paths:
        for file in path.iterdir():
            committed = GOLDEN / path.relative_to(tmp_path) / file.name
            assert file.read_bytes() == committed.read_bytes(), committed


def test_array_outputs_are_the_integer_product_of_the_operands() -> None:
    """numpy's integers judge the law's accumulators, from the files alone."""
    golden = read(GOLDEN / "mac_array" / "digits")
    units = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]
    rows, cols = golden.config.rows, golden.config.cols
    acc, outputs, tiles = [[0] * cols for _ in range(rows)], iter(golden.beats["out_acc"]), 0
    for a_word, b_word, last in zip(
        golden.beats["a_codes"], golden.beats["b_codes"], golden.beats["in_last"], strict=True
    ):
        a = [units[code] for code in unpack_lanes(a_word, 4, rows)]
        b = [units[code] for code in unpack_lanes(b_word, 4, cols)]
        acc = [[acc[r][c] + a[r] * b[c] for c in range(cols)] for r in range(rows)]
        if last:
            for row in acc:
                assert unpack_lanes(next(outputs), golden.config.unit.acc_bits, cols, signed=True) == row
            acc, tiles = [[0] * cols for _ in range(rows)], tiles + 1
    assert tiles == len(golden.extra["tiles"])
    assert next(outputs, None) is None


def test_rows_of_another_machine_are_refused(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "layer", tmp_path / "layer")
    with pytest.raises(ValueError, match=r"rows=8.*but the rows were captured for"):
        build_sets(tmp_path, ArrayConfig(rows=8))


def test_without_rows_the_error_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no golden set"):
        build_sets(tmp_path, ArrayConfig())
