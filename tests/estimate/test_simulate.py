"""Transitions and energies of netlists small enough to follow by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fpsim.estimate.energy import dynamic_energy
from fpsim.estimate.liberty import Library
from fpsim.estimate.netlist import Netlist, read_netlist
from fpsim.estimate.simulate import simulate

TINY = Path(__file__).with_name("tiny.lib")
Cells = dict[str, tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def tiny() -> Library:
    return Library.read(TINY)


def netlist(
    folder: Path, library: Library, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]], cells: Cells
) -> Netlist:
    """A netlist as yosys writes it; nets are numbers from 2 on."""
    ports = {name: {"direction": "input", "bits": bits} for name, bits in inputs.items()}
    ports |= {name: {"direction": "output", "bits": bits} for name, bits in outputs.items()}
    instances = {
        name: {"type": kind, "connections": {pin: [net] for pin, net in nets.items()}}
        for name, (kind, nets) in cells.items()
    }
    path = folder / "netlist.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": instances}}}))
    return read_netlist(path, "top", library)


def column(*values: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.array(values, np.uint8)[:, None]


def inverter_chain(folder: Path, library: Library) -> Netlist:
    cells: Cells = {"g2": ("INV", {"A": 3, "Y": 4}), "g1": ("INV", {"A": 2, "Y": 3})}  # reader before driver
    return netlist(folder, library, {"a_i": [2]}, {"y_o": [4]}, cells)


def test_an_inverter_chain_toggles_with_its_input(tmp_path: Path, tiny: Library) -> None:
    run = simulate(inverter_chain(tmp_path, tiny), column(0, 1, 0, 1, 1, 0), skip=1)
    assert run.cycles == 5
    assert run.toggles[2:].tolist() == [4, 4, 4]
    assert run.outputs.ravel().tolist() == [0, 1, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("wire", "expected_fj"),
    [
        # 4 toggles; two nets of 3 fF at 2 V: 6 fJ each. Inside, at a slew of 1.7 / 0.75 units:
        # 0.5 + 1.7 / 6 + load / 5 units of 2 fJ, loads of 1.5 and 0 units.
        (0.0, 4 * (2 * 6 + 2 * (0.5 + 1.7 / 6 + 0.3) + 2 * (0.5 + 1.7 / 6))),
        # The wire doubles every net: 12 fJ, load of 3 units.
        (1.0, 4 * (2 * 12 + 2 * (0.5 + 1.7 / 6 + 0.6) + 2 * (0.5 + 1.7 / 6))),
    ],
)
def test_energy_of_an_inverter_chain(tmp_path: Path, tiny: Library, wire: float, expected_fj: float) -> None:
    chain = inverter_chain(tmp_path, tiny)
    energy = dynamic_energy(chain, tiny, simulate(chain, column(0, 1, 0, 1, 0), skip=1), wire)
    assert energy.total_fj == pytest.approx(expected_fj)
    assert (energy.register_fj, energy.clock_fj) == (0.0, 0.0)


def test_energy_of_a_flip_flop(tmp_path: Path, tiny: Library) -> None:
    cells: Cells = {"f": ("DFF", {"CLK": 2, "D": 3, "Q": 4})}
    flop = netlist(tmp_path, tiny, {"clk_i": [2], "d_i": [3]}, {"q_o": [4]}, cells)
    run = simulate(flop, column(0, 1, 0, 1, 0), skip=1)
    assert run.outputs.ravel().tolist() == [0, 0, 1, 0, 1]  # one cycle later
    assert run.toggles[3:].tolist() == [4, 3]
    energy = dynamic_energy(flop, tiny, run, 0.0)
    # Clock: 8 edges of 2 fF at 2 V (4 fJ) and 3 units of 2 fJ inside. D: 4 edges of 4 fJ and 2 fJ.
    # Q: 3 edges of 2 units of 2 fJ.
    assert energy.clock_fj == pytest.approx(8 * (4 + 6))
    assert energy.register_fj == pytest.approx(3 * 4 + 4 * (4 + 2) - 4 * 4)
    assert energy.logic_fj == pytest.approx(4 * 4)  # the net that drives D belongs to whoever drives it
    assert energy.total_fj == pytest.approx(80 + 36)


def test_clear_and_inverted_output(tmp_path: Path, tiny: Library) -> None:
    cells: Cells = {"f": ("DFFRN", {"CLK": 2, "R": 3, "D": 4, "QN": 5}), "g": ("INV", {"A": 5, "Y": 6})}
    inputs = {"clk_i": [2], "rst_ni": [3], "d_i": [4]}
    flop = netlist(tmp_path, tiny, inputs, {"q_o": [6]}, cells)
    stimulus = np.array([[0, 1], [1, 1], [1, 0], [1, 1], [0, 1], [1, 1]], np.uint8)
    assert simulate(flop, stimulus).outputs.ravel().tolist() == [0, 0, 1, 0, 0, 0]


def hazard(folder: Path, library: Library) -> Netlist:
    """y = a ^ a, one input two inverters late: constant, but for a glitch after every change of a."""
    cells: Cells = {
        "g1": ("INV", {"A": 2, "Y": 3}),
        "g2": ("INV", {"A": 3, "Y": 4}),
        "g3": ("XOR2", {"A": 2, "B": 4, "Y": 5}),
    }
    return netlist(folder, library, {"a_i": [2]}, {"y_o": [5]}, cells)


def test_zero_delay_sees_no_glitch_and_unit_delay_all(tmp_path: Path, tiny: Library) -> None:
    stimulus = column(0, 1, 1, 0, 1)
    gates = hazard(tmp_path, tiny)
    (y,) = gates.ports["y_o"]
    zero = simulate(gates, stimulus, skip=1)
    unit = simulate(gates, stimulus, skip=1, unit_delay=True)
    assert (zero.toggles[y], zero.toggles.sum()) == (0, 3 * 3)  # a and the two inverters
    assert (unit.toggles[y], unit.toggles.sum()) == (6, 3 * 3 + 6)  # y up after 1 delay, down after 3
    assert (zero.outputs == unit.outputs).all()


def test_constants_and_undefined_bits_are_nets(tmp_path: Path, tiny: Library) -> None:
    cells: Cells = {"g": ("NAND2", {"A": "1", "B": 2, "Y": 3}), "h": ("NOR2", {"A": "x", "B": 3, "Y": 4})}
    gates = netlist(tmp_path, tiny, {"b_i": [2]}, {"y_o": [4, "0", "1"]}, cells)
    assert simulate(gates, column(0, 1)).outputs.tolist() == [[0, 0, 1], [1, 0, 1]]


def test_skipped_cycles_are_run_but_not_counted(tmp_path: Path, tiny: Library) -> None:
    run = simulate(inverter_chain(tmp_path, tiny), column(0, 1, 0, 0, 1), skip=3)
    assert (run.cycles, run.toggles[2]) == (2, 1)


def test_bad_stimuli_are_refused(tmp_path: Path, tiny: Library) -> None:
    chain = inverter_chain(tmp_path, tiny)
    with pytest.raises(ValueError, match=r"expected uint8 \(\.\.\., 1\)"):
        simulate(chain, np.zeros((4, 2), np.uint8))
    with pytest.raises(ValueError, match="skip=4"):
        simulate(chain, column(0, 1, 0, 1), skip=4)


def test_a_loop_is_refused(tmp_path: Path, tiny: Library) -> None:
    cells: Cells = {"g1": ("INV", {"A": 3, "Y": 2}), "g2": ("INV", {"A": 2, "Y": 3})}
    with pytest.raises(ValueError, match="2 gates are in a loop"):
        netlist(tmp_path, tiny, {}, {"y_o": [3]}, cells)


def test_a_flip_flop_off_the_clock_is_refused(tmp_path: Path, tiny: Library) -> None:
    cells: Cells = {"f": ("DFF", {"CLK": 3, "D": 3, "Q": 4})}
    with pytest.raises(ValueError, match="expected clk_i"):
        netlist(tmp_path, tiny, {"clk_i": [2], "d_i": [3]}, {"q_o": [4]}, cells)
