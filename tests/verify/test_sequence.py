"""A sequence's file gives back what was written, one line a cycle, and says what is wrong with a bad one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.job import Job
from fpsim.verify.sequence import Sequence, Step, _digest, read_sequence, write_sequence

CONFIG = ArrayConfig(3, 2, UnitConfig(("e2m1",), acc_bits=12))
SEQUENCE = Sequence(
    "fifo",
    CONFIG,
    7,
    (Step("beat", {"data": 0xFFF}), Step("gap", {"data": 0}, ready=False), Step("reset", {"data": 1})),
    ({"in_ready_o": 1, "data_o": 5}, {"in_ready_o": 0}),
    ("fpsim_fifo: data_o differs from the law", "  got  data_o"),
)


def altered(tmp_path: Path, change: Any, *, sign: bool = True) -> Path:
    """A file whose data was changed; with a digest that fits, or the old one."""
    path = tmp_path / "changed.json"
    write_sequence(path, SEQUENCE)
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    if sign:
        data["digest"] = _digest(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "fifo.json"
    write_sequence(path, SEQUENCE)
    assert read_sequence(path) == SEQUENCE
    assert list(path.parent.iterdir()) == [path]


def test_a_cycle_is_one_line_to_read(tmp_path: Path) -> None:
    write_sequence(tmp_path / "fifo.json", SEQUENCE)
    lines = (tmp_path / "fifo.json").read_text(encoding="utf-8").splitlines()
    cycles = [line for line in lines if '"do"' in line]
    assert len(cycles) == 3
    assert cycles[0].strip() == (
        '{"cycle": 0, "do": "beat", "out_ready": 1, "in": {"data": "0xfff"}, '
        '"came": {"in_ready_o": "0x1", "data_o": "0x5"}},'
    )


def test_a_unit_that_is_wrong_at_once_needs_no_cycles(tmp_path: Path) -> None:
    write_sequence(tmp_path / "empty.json", replace(SEQUENCE, steps=(), came=()))
    assert read_sequence(tmp_path / "empty.json").steps == ()


def set_in(*keys: Any, value: Any) -> Any:
    """A change of one place of the data."""

    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_in("schema", value="fpsim sequence 9"), "expected a file with schema 'fpsim sequence 1'"),
        (set_in("unit", value="adder"), "unit='adder': expected one of decode, mul"),
        (set_in("unit", value="skid"), None),
        (set_in("unit", value="mac"), "inputs of {'data': 12} bits; fpsim_mac has {'en': 1"),
        (set_in("inputs", "data", value=13), "inputs of {'data': 13} bits; fpsim_fifo has {'data': 12}"),
        (set_in("config", "unit", "acc_bits", value=20), "fpsim_fifo has {'data': 20}"),
        (set_in("config", "rows", value=0), "rows=0: expected an integer from 1 to 64"),
        (set_in("cycles", 1, "do", value="clock"), "cycle 1: do='clock': expected one of reset, beat"),
        (set_in("cycles", 1, "in", "data", value="0x1000"), "cycle 1: data=0x1000: expected 12 bits"),
        (set_in("cycles", 1, "in", "data", value="-0x1"), "cycle 1: data=-0x1: expected 12 bits"),
        (set_in("cycles", 1, "in", "data", value="none"), "invalid literal"),
        (set_in("cycles", 2, "in", value={}), r"cycle 2: words for \[\], expected \['data'\]"),
        (set_in("cycles", 0, value={}), "'do'"),
        (set_in("cycles", value=[{}] * 10_001), "10001 cycles: expected at most 10000"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, change: Any, message: str | None) -> None:
    path = altered(tmp_path, change)
    if message is None:  # another unit with the same ports is as good
        assert read_sequence(path).unit_name == "skid"
        return
    with pytest.raises(ValueError, match=message) as failure:
        read_sequence(path)
    assert str(failure.value).startswith(f"replay={str(path)!r}: ")


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    path = altered(tmp_path, set_in("cycles", 0, "in", "data", value="0x1"), sign=False)
    with pytest.raises(ValueError, match="was changed after it was written"):
        read_sequence(path)


@pytest.mark.parametrize("text", ["", "no JSON", "[1, 2]", '{"cycles": []}', "\x00\xff"])
def test_what_is_no_sequence_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "file.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"file\.json'?: no sequence"):
        read_sequence(tmp_path / "file.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "none.json"))):
        read_sequence(tmp_path / "none.json")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "fifo.json").mkdir()
    with pytest.raises(OSError, match="fifo"):
        write_sequence(tmp_path / "fifo.json", SEQUENCE)
    assert [path.name for path in tmp_path.iterdir()] == ["fifo.json"]


def test_a_replay_is_a_job_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"expected the kinds \('sequences',\) with it"):
        Job("fifo", CONFIG, replay_file="some.json")


def test_the_message_names_the_file_and_the_command() -> None:
    job = Job("fifo", CONFIG, kinds=("sequences",), seed=3, rtl="my rtl", failures="bad ones")
    assert job.replay("sequences") == "fpsim verify --replay 'bad ones/fifo-seed3.json' --rtl 'my rtl'"
    again = replace(job, replay_file="x.json")
    assert again.replay("sequences") == "fpsim verify --replay x.json --rtl 'my rtl'"
