"""Area, leakage and energy per operation of every RTL unit on one standard-cell library, into one JSON file.

Energy bands of an operation:
    low   zero-delay activity, no wires
    mid   zero-delay activity, every net's wire as heavy as the pins on it
    high  unit-delay activity (all glitches, none filtered: an upper bound), the same wires
No netlist is costed before its outputs equal the RTL's (Verilator) in every cycle of every stimulus. Its
longest path (`fpsim.estimate.timing`) has no wires in low and the same wires in mid.

What is finished is kept beside the target until all is: an interrupted run goes on where it was, and takes
nothing over that was made of other sources, tools, library or stimulus.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fpsim.array.config import ArrayConfig
from fpsim.estimate.constants import LibraryFacts, load_constants
from fpsim.estimate.drive import Unit
from fpsim.estimate.energy import dynamic_energy
from fpsim.estimate.liberty import Library
from fpsim.estimate.liberty_text import read_text
from fpsim.estimate.netlist import Netlist
from fpsim.estimate.reference import Bits, Device, Reference, verilator_version
from fpsim.estimate.simulate import simulate
from fpsim.estimate.stimulus import Run, from_file, gaussian, with_uniform_codes
from fpsim.estimate.synth import Synthesis, Synthesizer, source_files, yosys_version
from fpsim.estimate.timing import Timing, longest_paths
from fpsim.estimate.unfinished import Unfinished, write_whole
from fpsim.estimate.units import units

SCHEMA_VERSION = 1
RTL = Path(__file__).resolve().parents[2] / "rtl"
WIRE = 1.0  # wire capacitance over pin capacitance in the mid and high bands
WIRES = {"low": 0.0, "mid": WIRE}
FJ_PER_PJ = 1000.0

ENDS = ("low", "mid", "high")

Progress = Callable[[int, int, str], None]
Ends = dict[str, float]


def characterize(
    liberty: Path,
    config: ArrayConfig,
    out: Path,
    progress: Progress | None = None,
    *,
    operands: Path | None = None,
    rtl: Path = RTL,
) -> dict[str, Any]:
    """Characterize every unit of a configuration and write the result, whole or not at all.

    The array is measured in two sizes; what it costs at any size follows (`fpsim.estimate.costs`), so rows
    and columns of the configuration do not matter here.

    Args:
        liberty: a Liberty file of a library that constants.yaml lists, plain or .gz.
        config: the configuration.
        out: the JSON file to write.
        progress: called with (steps done, steps in all, what comes next), at the end with "done".
        operands: an .npz with float `x` (M, K) and `w` (N, K) as a further stimulus, for instance of a layer.
        rtl: folder of the SystemVerilog sources.

    Returns:
        What was written.

    Raises:
        ValueError: an unreadable or unknown library, operands that do not fit.
        RuntimeError: a tool is missing or failed, or a netlist does not compute what the RTL does.
    """
    library = Library.read(liberty)
    facts = load_constants().library(library.name)
    wanted = units(config)
    steps = _Steps(progress or (lambda done, of, what: None), 2 * len(wanted) + 1, facts.name)
    hash_before = rtl_hash(rtl)
    header = _header(liberty, library, facts, config, hash_before)
    unfinished = Unfinished.beside(out, header, operands)
    results = {unit.name: unfinished.entry(unit.name) for unit in wanted}
    left = [unit for unit in wanted if not results[unit.name]]
    with tempfile.TemporaryDirectory(prefix="fpsim-characterize-") as folder:
        sources = source_files(rtl, sorted({unit.module for unit in wanted}))
        synthesizer = Synthesizer(library, read_text(liberty), sources, Path(folder), unfinished.folder)
        mapped = _synthesize(left, synthesizer, library.excluded(facts.exclude), steps)
        steps.skip(len(wanted) - len(left))
        steps.next("build the reference")
        reference = _reference(left, mapped, sources, Path(folder) / "reference") if left else None
        steps.skip(len(wanted) - len(left))
        for unit in left:
            steps.next(f"measure {unit.name}")
            assert reference is not None
            netlist = mapped[unit.name].netlist
            energies = _energies(unit, netlist, library, reference, operands)
            paths = {name: longest_paths(netlist, library, wire) for name, wire in WIRES.items()}
            results[unit.name] = _entry(unit, mapped[unit.name], energies, paths)
            unfinished.keep(unit.name, results[unit.name])
    if rtl_hash(rtl) != hash_before:
        raise RuntimeError(f"{rtl}: the sources changed during the characterization; run it again")
    record = {**header, "units": results}
    write_whole(out, json.dumps(record, indent=1) + "\n")
    unfinished.remove()
    steps.next("done")
    return record


def rtl_hash(rtl: Path = RTL, modules: Sequence[str] = ()) -> str:
    """SHA-256 of the RTL that modules are made of, without comments and white space.

    Args:
        rtl: folder of the SystemVerilog sources.
        modules: their names; none: those of the characterized units.
    """
    wanted = modules or sorted({unit.module for unit in units(ArrayConfig())})
    digest = hashlib.sha256()
    for path in source_files(rtl, list(wanted)):
        code = re.sub(r"//[^\n]*|/\*.*?\*/", " ", path.read_text("utf-8"), flags=re.DOTALL)
        digest.update(f"{path.name}\n{' '.join(code.split())}\n".encode())
    return digest.hexdigest()


class _Steps:
    """Counts steps for a progress callback."""

    def __init__(self, report: Progress, total: int, title: str) -> None:
        self._report, self._total, self._title, self._done = report, total, title, 0

    def next(self, what: str) -> None:
        self._report(self._done, self._total, f"{self._title}: {what}")
        self._done += 1

    def skip(self, count: int) -> None:
        """Steps that an earlier run has taken."""
        self._done += count


def _synthesize(
    wanted: list[Unit], synthesizer: Synthesizer, excluded: tuple[str, ...], steps: _Steps
) -> dict[str, Synthesis]:
    mapped = {}
    for unit in wanted:
        steps.next(f"synthesize {unit.name}")
        mapped[unit.name] = synthesizer.run(unit.module, unit.parameters, excluded)
    return mapped


def _reference(
    wanted: list[Unit], mapped: dict[str, Synthesis], sources: list[Path], folder: Path
) -> Reference:
    folder.mkdir()
    return Reference({unit.name: device(unit, mapped[unit.name].netlist) for unit in wanted}, sources, folder)


def device(unit: Unit, netlist: Netlist) -> Device:
    """The unit as the reference builds it, its ports as yosys found them."""
    widths = {name: len(nets) for name, nets in netlist.ports.items()}
    return Device(
        module=unit.module,
        parameters=unit.parameters,
        inputs={name: widths[name] for name in netlist.inputs},
        outputs={name: widths[name] for name in netlist.outputs},
        clocked=netlist.clock_net >= 0,
    )


def _energies(
    unit: Unit, netlist: Netlist, library: Library, reference: Reference, operands: Path | None
) -> dict[str, dict[str, Ends]]:
    """Energy of each operation for each stimulus "<data>/<format>"; a unit that does not see the format has
    only the first format, or its own."""
    config, found = unit.config, {}
    formats = config.unit.formats if unit.sees_format else config.unit.formats[:1]
    for fmt in formats:
        stimuli = {"gaussian": gaussian(config, fmt)}
        if unit.takes_codes:
            stimuli["uniform"] = with_uniform_codes(stimuli["gaussian"])
        if operands is not None:
            stimuli["file"] = from_file(operands, config, fmt)
        for name, rows in stimuli.items():
            runs = unit.drive(rows, config)
            label = unit.own_format or fmt
            found[f"{name}/{label}"] = _measure(unit, netlist, runs, library, reference)
    return found


def _measure(
    unit: Unit, netlist: Netlist, runs: list[Run], library: Library, reference: Reference
) -> dict[str, Ends]:
    """Energy of each operation in pJ: as many runs as operations, solved for the operations."""
    counts = np.array([[run.counts.get(name, 0) for name in unit.operations] for run in runs], np.float64)
    totals = np.zeros((len(runs), 3))
    for index, run in enumerate(runs):
        bits = run.bits({name: len(netlist.ports[name]) for name in netlist.inputs})
        zero = simulate(netlist, bits, skip=run.skip)
        unit_delay = simulate(netlist, bits, skip=run.skip, unit_delay=True)
        expected = reference.run({unit.name: bits})[unit.name]
        check_equal(unit.name, netlist, zero.outputs, expected)
        check_equal(unit.name, netlist, unit_delay.outputs, expected)
        if run.must_accept:
            _check_accepted(unit, netlist, run, expected)
        totals[index] = (
            dynamic_energy(netlist, library, zero, 0.0).total_fj,
            dynamic_energy(netlist, library, zero, WIRE).total_fj,
            dynamic_energy(netlist, library, unit_delay, WIRE).total_fj,
        )
    energies = np.linalg.solve(counts, totals) / FJ_PER_PJ
    return {
        name: {end: float(f"{value:.6g}") for end, value in zip(ENDS, row, strict=True)}
        for name, row in zip(unit.operations, energies, strict=True)
    }


def check_equal(name: str, netlist: Netlist, outputs: Bits, expected: Bits) -> None:
    """Raise RuntimeError, with the first difference, unless the netlist computed what the RTL did."""
    different = np.argwhere(outputs != expected)
    if not len(different):
        return
    cycle, bit = map(int, different[0])
    ports = [(port, index) for port in netlist.outputs for index in range(len(netlist.ports[port]))]
    port, index = ports[bit]
    raise RuntimeError(
        f"{name}: the netlist does not compute what the RTL does: {len(different)} bits differ, the first in "
        f"cycle {cycle}: {port}[{index}] is {outputs[cycle, bit]}, RTL {expected[cycle, bit]}"
    )


def _check_accepted(unit: Unit, netlist: Netlist, run: Run, outputs: Bits) -> None:
    place = sum(len(netlist.ports[p]) for p in netlist.outputs[: netlist.outputs.index("in_ready_o")])
    refused = np.flatnonzero((run.columns["in_valid_i"] == 1) & (outputs[:, place] == 0))
    if len(refused):
        raise RuntimeError(
            f"{unit.name}: data offered in cycle {refused[0]} was not accepted; counts are off"
        )


def _entry(
    unit: Unit, mapped: Synthesis, energies: dict[str, dict[str, Ends]], paths: dict[str, Timing]
) -> dict[str, Any]:
    return {
        "module": unit.module,
        "parameters": unit.parameters,
        "lanes": unit.lanes,
        "area_um2": round(mapped.area_um2, 4),
        "sequential_um2": round(mapped.sequential_um2, 4),
        "ge": round(mapped.ge, 1),
        "leakage_nw": round(mapped.leakage_nw, 6),
        "cells": sum(mapped.cells.values()),
        "longest_path_ps": {end: round(timing.longest.delay_ps, 1) for end, timing in paths.items()},
        "longest_path_gates": paths["mid"].longest.gates,
        "paths_ps": {end: timing.by_ends() for end, timing in paths.items()},
        "operations": {
            name: {
                "meaning": meaning,
                "energy_pj": {key: ends[name] for key, ends in energies.items()},
            }
            for name, meaning in unit.operations.items()
        },
    }


def _header(
    liberty: Path, library: Library, facts: LibraryFacts, config: ArrayConfig, sources: str
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "library": {
            "name": facts.name,
            "liberty_name": library.name,
            "liberty_sha256": hashlib.sha256(read_text(liberty).encode()).hexdigest(),
            "source": facts.source,
            "node_nm": facts.node_nm,
            "corner": facts.corner,
            "voltage_v": library.voltage_v,
            "temperature_c": library.temperature_c,
            "nand2": {"cell": library.nand2.name, "area_um2": library.nand2.area_um2},
            "slew_ps": round(library.fo4_slew_ps, 3),
        },
        "tools": {"yosys": yosys_version(), "verilator": verilator_version()},
        "date": datetime.now(UTC).date().isoformat(),
        "rtl_sha256": sources,
        "unit_config": {**config.to_dict()["unit"], "formats": list(config.unit.formats)},
        "wire_over_pin_capacitance": {"low": 0.0, "mid": WIRE, "high": WIRE},
        "activity": {"low": "zero delay", "mid": "zero delay", "high": "unit delay"},
    }
