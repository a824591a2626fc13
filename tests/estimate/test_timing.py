"""Longest paths: by hand on the small library, and against abc's own timing of the same netlist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fpsim.estimate.liberty import Library
from fpsim.estimate.netlist import Netlist, read_netlist
from fpsim.estimate.synth import Synthesizer, source_files
from fpsim.estimate.timing import longest_paths
from fpsim.verify.rtl_files import default_rtl_folder

TINY = Path(__file__).with_name("tiny.lib")
Cells = dict[str, tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def tiny() -> Library:
    return Library.read(TINY)


def netlist(
    folder: Path, library: Library, inputs: dict[str, int], outputs: dict[str, int], cells: Cells
) -> Netlist:
    ports = {name: {"direction": "input", "bits": [net]} for name, net in inputs.items()}
    ports |= {name: {"direction": "output", "bits": [net]} for name, net in outputs.items()}
    instances = {
        name: {"type": kind, "connections": {pin: [net] for pin, net in nets.items()}}
        for name, (kind, nets) in cells.items()
    }
    path = folder / "netlist.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": instances}}}))
    return read_netlist(path, "top", library)


@pytest.mark.parametrize(
    ("wire", "expected_ps"),
    [
        # Delay of an inverter: 1 + load / 10 units of 10 ps; loads in units of 2 fF. The first drives one pin
        # of 1.5 units, the second, behind the port, four of them.
        (0.0, 10 * ((1 + 1.5 / 10) + (1 + 6.0 / 10))),
        (1.0, 10 * ((1 + 3.0 / 10) + (1 + 6.0 / 10))),  # wires double what pins load, not the port's own load
    ],
)
def test_an_inverter_chain(tmp_path: Path, tiny: Library, wire: float, expected_ps: float) -> None:
    cells: Cells = {"g2": ("INV", {"A": 3, "Y": 4}), "g1": ("INV", {"A": 2, "Y": 3})}
    timing = longest_paths(netlist(tmp_path, tiny, {"a_i": 2}, {"y_o": 4}, cells), tiny, wire)
    assert timing.input_to_output is not None
    assert timing.input_to_output.delay_ps == pytest.approx(expected_ps)
    assert timing.longest.gates == 2
    assert timing.by_ends() == {"input_to_output": round(expected_ps, 1)}


def registers(folder: Path, library: Library) -> Netlist:
    """q1 -> INV -> q2, and q2's output a port; q1 takes an input; both are reset."""
    cells: Cells = {
        "q1": ("DFFRN", {"CLK": 2, "D": 4, "R": 3, "QN": 5}),
        "g": ("INV", {"A": 5, "Y": 6}),
        "q2": ("DFFRN", {"CLK": 2, "D": 6, "R": 3, "QN": 7}),
    }
    return netlist(folder, library, {"clk_i": 2, "rst_ni": 3, "d_i": 4}, {"q_o": 7}, cells)


def test_registers_launch_and_capture(tmp_path: Path, tiny: Library) -> None:
    timing = longest_paths(registers(tmp_path, tiny), tiny, 0.0, input_slew_ps=20.0, output_load_ff=10.0)
    found = timing.by_ends()
    # Units of 10 ps and 2 fF; the slew of data inputs and clock is 2 units, the output's load 5.
    # q1's QN, loaded with 1.5, falls after 4 and rises after 3 + 0.3: slews of 2 and 1 + 0.3.
    # INV's delay does not see the slew; its output has one pin, D: 1 + 1/10. Out of a falling QN it rises at
    # 5.1 with a slew of 1 + 2/4 + 1/5 = 1.7, and needs 2 + 1.7/4 of setup; falling it comes at 4.4 and needs
    # 1 + 2/2.
    assert found["register_to_register"] == pytest.approx(10 * (4 + 1.1 + 2 + 1.7 / 4), abs=0.051)
    # The port's slew is 2: a rising edge needs 2 + 2/4, a falling one 1 + 2/2.
    assert found["input_to_register"] == pytest.approx(10 * 2.5, abs=0.051)
    assert found["register_to_output"] == pytest.approx(10 * (3 + 5 / 5), abs=0.051)
    assert "input_to_output" not in found
    assert timing.register_to_register is not None
    assert timing.register_to_register.gates == 2
    assert timing.longest == timing.register_to_register


def test_a_library_without_delays_is_refused(tmp_path: Path, tiny: Library) -> None:
    cells: Cells = {"q": ("DFF", {"CLK": 2, "D": 3, "Q": 4})}
    bare = netlist(tmp_path, tiny, {"clk_i": 2, "d_i": 3}, {"q_o": 4}, cells)
    with pytest.raises(ValueError, match=r"tiny\.lib: cell DFF has no delay tables"):
        longest_paths(bare, tiny, 0.0)


@pytest.mark.rtl
@pytest.mark.parametrize("module", ["fpsim_mul", "fpsim_row_scale"])
def test_abc_finds_nearly_the_same_longest_path(module: str, tmp_path: Path, tiny: Library) -> None:
    """Within 5 %: abc reckons in whole picoseconds and its own way outside of the tables. On SKY130, OSU018,
    SG13G2 and ASAP7 the two differ by -1.1 to +2.6 %."""
    synthesizer = Synthesizer(tiny, TINY.read_text(), source_files(default_rtl_folder(), [module]), tmp_path)
    original = synthesizer._script

    def with_stime(*args: Any) -> str:
        steps = "+strash;&get,-n;&fraig,-x;&put;scorr;dc2;dch,-f;&get,-n;&nf;&put;topo;stime,-d"
        script = original(*args)
        assert script.count("-liberty cells.lib\n") == 2
        return script.replace("\nopt_clean", f" -script {steps}\nopt_clean", 1)

    synthesizer._script = with_stime  # type: ignore[method-assign]
    mapped = synthesizer.run(module, {}, ("BIG",), sized=False)
    theirs = float((tmp_path / "stats.txt").read_text().split()[-1])
    ours = longest_paths(mapped.netlist, tiny, 0.0, input_slew_ps=0.0, output_load_ff=0.0).longest
    assert ours.gates > 5
    assert ours.delay_ps == pytest.approx(theirs, rel=0.05)
