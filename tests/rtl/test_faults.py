"""A wrong table entry, a missing negation, a lost bit: every fault is noticed and explained."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fpsim.verify.__main__ import main
from fpsim.verify.fault import Fault
from fpsim.verify.faults import FAULTS, catch, injected

pytestmark = pytest.mark.rtl

BY_NAME = {fault.name: fault for fault in FAULTS}
# An output as bits and as a value: shift_o = 3'b001 (1), y_o[lane 3] = 16'b0…0 (-0 as fp16).
OUTPUT = re.compile(r"^  (expected|got) +\w+_o(\[lane \d+\])? = \d+'b[01]+ \((-?\d[^)]*)\)$", re.MULTILINE)


# A broken handshake and a row that never comes have messages of their own.
NO_WRONG_RESULT = ("pipeline-overrun", "mac-array-lost-row")


def message_of(name: str, seed: int = 0) -> str:
    """The message of the failure that a fault provokes."""
    return catch(BY_NAME[name], seed=seed)


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in NO_WRONG_RESULT])
def test_a_wrong_result_is_shown_with_everything_needed_to_see_it_again(name: str) -> None:
    fault = BY_NAME[name]
    message = message_of(name, seed=7)
    assert message.startswith(f"fpsim_{fault.unit}: ")
    assert "differs from the law" in message
    assert re.search(r"^  parameters +(\w+=\d+|none)", message, re.MULTILINE)
    assert re.search(r"^  vectors +(exhaustive|random), seed 7, cycle \d+$", message, re.MULTILINE)
    assert re.search(r"^  beat +\d+", message, re.MULTILINE)
    assert re.search(r"^  input +\w+_i.* = .*[01]+.* \(.*\)$", message, re.MULTILINE)
    expected, got = OUTPUT.findall(message)
    assert (expected[0], got[0]) == ("expected", "got")
    assert expected[2] != got[2]
    replay = f"  replay     python -m fpsim.verify {fault.unit} --kind "
    assert replay in message
    assert " --seed 7 " in message


def test_the_message_shows_the_very_entry_that_is_wrong() -> None:
    message = message_of("decode-entry")
    assert "code_i = 4'b0010 (1 as e2m1)" in message
    assert "fmt_i = 2'b00 (e2m1)" in message
    assert "expected   shift_o = 3'b000 (0)" in message
    assert "got        shift_o = 3'b001 (1)" in message


def test_a_missing_negation_shows_both_signs() -> None:
    message = message_of("mul-sign")
    expected, got = (int(value) for _, _, value in OUTPUT.findall(message))
    assert expected == -got < 0
    assert "b_neg_i = 1'b1 (1)" in message


def test_the_array_names_row_column_and_operands() -> None:
    message = message_of("mac-array-skew")
    assert re.search(r"place +row \d, column 2 of a tile of \d+ beats", message)
    assert re.search(r"a_codes_i\[lane \d\] for beats from 0 = [01 ]+ \([-\d, ]+ units of \w+\)", message)
    assert re.search(r"b_codes_i\[lane 2\] for beats from 0 = ", message)


def test_a_beat_lost_under_back_pressure_breaks_the_handshake() -> None:
    message = message_of("pipeline-overrun")
    assert "fpsim_hadamard: outputs changed before the beat was accepted" in message
    assert "before     y_o = " in message
    assert "now        y_o = " in message


def test_a_row_that_never_comes_is_waited_for_in_vain() -> None:
    message = message_of("mac-array-lost-row")
    assert "fpsim_mac_array: nothing moved for 2000 cycles" in message
    assert re.search(r"waiting +1 output beats expected, input offered: False", message)


def test_the_replay_command_fails_in_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    with injected(BY_NAME["decode-entry"]) as folder:
        arguments = ["decode", "--kind", "exhaustive", "--rtl", str(folder)]
        assert main(arguments) == 1
        message = capsys.readouterr().err.strip()
        replay = shlex.split(message.splitlines()[-1].removeprefix("  replay     "))
        assert replay[:3] == ["python", "-m", "fpsim.verify"]
        assert main(replay[3:]) == 1
        assert capsys.readouterr().err.strip() == message


def test_the_repositorys_rtl_passes_where_the_faulty_copy_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode"]) == 0
    assert capsys.readouterr().out.startswith("128 exhaustive results compared")


@pytest.mark.parametrize(("find", "times"), [("no such text", 0), ("endmodule", 1), ("logic", 2)])
def test_a_fault_must_match_exactly_once(find: str, times: int, tmp_path: Path) -> None:
    text = "module fpsim_decode;\n  logic a;\n  logic b;\nendmodule\n"
    (tmp_path / "fpsim_decode.sv").write_text(text, encoding="utf-8")
    fault = Fault("test", "decode", "fpsim_decode.sv", find, "changed", "a test")
    if times == 1:
        with injected(fault, tmp_path) as folder:
            assert "changed" in (folder / "fpsim_decode.sv").read_text(encoding="utf-8")
        assert not folder.exists()
    else:
        with pytest.raises(ValueError, match=f"occurs {times} times"), injected(fault, tmp_path):
            pass
    assert (tmp_path / "fpsim_decode.sv").read_text(encoding="utf-8") == text
