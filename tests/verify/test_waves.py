"""The mark of a failure in a VCD file and the save file beside it, on waves written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from fpsim.report.vcd import read_cycles
from fpsim.verify.waves import mark_failure, write_save_file

WAVES = """$version by hand $end
$timescale 1ps $end
 $scope module fpsim_skid $end
  $var wire 1 ! clk_i $end
  $var wire 4 " data_i [3:0] $end
  $var wire 32 % W [31:0] $end
  $scope module inner $end
   $var wire 1 & x $end
  $upscope $end
 $upscope $end
$enddefinitions $end
#0
0!
b0001 "
0&
#1000
1!
#2000
0!
b0010 "
#3000
1!
b0011 "
#4000
0!
b01x0 "
#5000
1!
"""


@pytest.fixture
def vcd(tmp_path: Path) -> Path:
    """A file with three clock cycles."""
    path = tmp_path / "waves.vcd"
    path.write_text(WAVES, encoding="utf-8")
    return path


def test_signals_are_sampled_as_registers_do(vcd: Path) -> None:
    # What changes with the edge itself belongs to the next cycle; an X in a word makes it unknown.
    assert read_cycles(vcd, "fpsim_skid", ["data_i"]) == {"data_i": [1, 2, None]}


@pytest.mark.parametrize(("module", "signal"), [("fpsim_skid", "data_o"), ("fpsim_fifo", "data_i")])
def test_a_signal_that_is_not_there_is_named(vcd: Path, module: str, signal: str) -> None:
    with pytest.raises(ValueError, match=f"no signal '{signal}' in a module '{module}'"):
        read_cycles(vcd, module, [signal])


def changes(text: str) -> list[tuple[int, str]]:
    """Time and value of every change of the mark."""
    (code,) = (line.split()[3] for line in text.splitlines() if line.endswith("failing_cycle $end"))
    time, found = 0, []
    for line in text.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line[1:] == code:
            found.append((time, line[0]))
    return found


@pytest.mark.parametrize(("time_ns", "rise"), [(1.0, 0), (3.0, 2000), (3.5, 2500), (5.0, 4000), (8.0, 7000)])
def test_the_mark_rises_where_the_failing_cycle_begins(vcd: Path, time_ns: float, rise: int) -> None:
    before = vcd.read_text(encoding="utf-8").splitlines()
    mark_failure(vcd, time_ns)
    text = vcd.read_text(encoding="utf-8")
    assert changes(text)[-1] == (rise, "1")
    assert rise == 0 or changes(text)[0] == (0, "0")
    times = [int(line[1:]) for line in text.splitlines() if line.startswith("#")]
    assert times == sorted(times)
    assert times[-1] > rise
    rest = iter(text.splitlines())
    assert all(line in rest for line in before)  # nothing of what the simulator wrote is lost
    assert read_cycles(vcd, "fpsim_skid", ["data_i"]) == {"data_i": [1, 2, None]}


@pytest.mark.parametrize("text", ["", "no waves\n", "$timescale 1ps $end\n$enddefinitions $end\n"])
def test_what_is_no_vcd_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.vcd").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="no VCD file"):
        mark_failure(tmp_path / "x.vcd", 1.0)
    assert (tmp_path / "x.vcd").read_text(encoding="utf-8") == text


def test_the_save_file_opens_the_units_signals_at_the_failure(vcd: Path) -> None:
    mark_failure(vcd, 3.0)
    lines = write_save_file(vcd, 3.0, "fpsim_skid").read_text(encoding="utf-8").splitlines()
    assert '[dumpfile] "waves.vcd"' in lines
    assert any(line.startswith("*") and line.split()[1] == "3000" for line in lines)
    assert lines[-3:] == ["failure.failing_cycle", "fpsim_skid.clk_i", "fpsim_skid.data_i[3:0]"]
    with pytest.raises(ValueError, match="no module 'fpsim_fifo'"):
        write_save_file(vcd, 3.0, "fpsim_fifo")
