"""Icarus Verilog as a second simulator: another front end, and logic that knows X.

It is slower by two orders of magnitude and comes from the system (apt-get install iverilog), so it is a
second opinion on small sizes and no part of the suite.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from fpsim.verify.build import Build, BuildError, cache_folder
from fpsim.verify.rtl_files import sources
from fpsim.verify.toolchain import ToolMissing
from fpsim.verify.units import Unit

ICARUS_HINT = "apt-get install iverilog"
PROGRAM = "sim.vvp"  # the name that cocotb's runner expects
LINES_SHOWN = 40

# Units that Icarus 11 cannot check, and why. A unit that is not here passes its bench in it.
NOT_IN_ICARUS: dict[str, str] = {}


def icarus_version() -> str:
    """Name and version of the simulator, for reports.

    Raises:
        ToolMissing: it is not installed.
    """
    return f"Icarus Verilog {_version(_program())}"


def build_icarus(unit: Unit, rtl: Path, cache: Path | None = None) -> Build:
    """The program that Icarus makes of this unit, made now unless an equal one exists.

    Args:
        unit: ports and parameters.
        rtl: folder of the SystemVerilog.
        cache: where builds are kept; None: `fpsim.verify.build.cache_folder()`.

    Raises:
        ToolMissing: iverilog is not installed.
        BuildError: the RTL does not compile.
    """
    program = _program()
    files = sources(unit.top, rtl)
    made_of = {
        "parameters": unit.parameters,
        "version": _version(program),
        "sources": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
    }
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
    cache = (cache or cache_folder()).resolve()
    folder = cache / f"icarus-{unit.name}-{key}"
    if (folder / PROGRAM).is_file():
        return Build(folder, 0.0)
    start = time.perf_counter()
    cache.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".icarus-{unit.name}-", dir=cache))
    try:
        _compile(program, unit, files, staging)
        try:
            staging.rename(folder)
        except OSError:
            if not (folder / PROGRAM).is_file():  # else another process built the same meanwhile
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Build(folder, time.perf_counter() - start)


def _compile(program: str, unit: Unit, files: tuple[Path, ...], staging: Path) -> None:
    sets = [f"-P{unit.top}.{name}={value}" for name, value in unit.parameters.items()]
    (staging / "timescale.f").write_text("+timescale+1ns/1ps\n", encoding="utf-8")
    command = [program, "-g2012", "-s", unit.top, *sets, "-c", "timescale.f", "-o", PROGRAM]
    done = subprocess.run(
        [*command, *map(str, files)],
        cwd=staging,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-LINES_SHOWN:])
        raise BuildError(f"{unit.top} {unit.parameters}: iverilog failed\n{said}")


def _program() -> str:
    found = shutil.which("iverilog")
    if found is None or shutil.which("vvp") is None:
        raise ToolMissing("iverilog", "is the second simulator", ICARUS_HINT)
    return found


@functools.cache
def _version(program: str) -> str:
    said = subprocess.run([program, "-V"], check=True, capture_output=True, text=True).stdout
    return said.splitlines()[0].removeprefix("Icarus Verilog version ").strip()
