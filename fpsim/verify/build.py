"""Compile one unit for simulation, once: a build lives in a folder named after everything that decides it.

A build appears by one rename, so an interrupted one leaves nothing that could be taken for a finished one.
Verilator's run-time library is the same for every unit; it is compiled with the first and copied after.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fpsim.verify.rtl_files import sources
from fpsim.verify.toolchain import Toolchain, check_tools, verilator_environment
from fpsim.verify.units import Unit

CACHE_VARIABLE = "FPSIM_BUILD_DIR"
PREFIX = "Vtop"  # the class name that cocotb's main program expects
VERILATOR_ARGS = (
    *("-cc", "--exe", "--vpi", "--prefix", PREFIX, "-O3"),
    # What nobody drives is drawn at random at start, so that it cannot pass for a zero.
    *("--x-assign", "unique", "--x-initial", "unique"),
)
OPTIMIZE = "-O1"
RUNTIME_OBJECTS = ("verilated.o", "verilated_dpi.o", "verilated_threads.o", "verilated_vpi.o")
SEPARATE_MODULES = ("fpsim_pe",)  # compiled once, not once per place: at 8 × 8 a third of the time
LOG_FILE = "build.log"
LOG_LINES_SHOWN = 40


class BuildError(RuntimeError):
    """Verilator or the compiler refused the RTL; the message holds the end of their output."""


@dataclass(frozen=True)
class Build:
    """A finished build.

    Attributes:
        folder: where the simulator program lies.
        seconds: time spent on building now; 0 where an earlier build was found.
    """

    folder: Path
    seconds: float


def cache_folder() -> Path:
    """Where builds are kept: $FPSIM_BUILD_DIR, else build/sim below the current directory."""
    return Path(os.environ.get(CACHE_VARIABLE) or Path("build", "sim")).absolute()


def build(
    unit: Unit, rtl: Path, cache: Path | None = None, *, extra: Sequence[str] = (), optimize: str = OPTIMIZE
) -> Build:
    """The simulator of this unit, built now unless an equal build exists.

    Args:
        unit: ports and parameters.
        rtl: folder of the SystemVerilog.
        cache: where builds are kept; None: `cache_folder()`.
        extra: further arguments of Verilator; such a build lies apart.
        optimize: the compiler's flags for what is run in every cycle: more than -O1 takes long to build.

    Raises:
        ToolMissing: a tool is not installed.
        ValueError: a path with a space, which make cannot handle.
        BuildError: the RTL does not compile.
    """
    tools = check_tools()
    cache = (cache or cache_folder()).resolve()
    rtl = rtl.resolve()
    for path in (cache, rtl, tools.verilator, Path(sys.executable)):
        if any(character.isspace() for character in str(path)):
            raise ValueError(
                f"path {str(path)!r} contains a space, which make cannot handle; move it elsewhere"
            )
    files = sources(unit.top, rtl)
    control = _control_file(unit, files)
    chosen = (*extra, *([optimize] if optimize != OPTIMIZE else []))
    folder = cache / f"{unit.name}-{_key(unit, files, control, tools, chosen)}"
    if (folder / unit.top).is_file():
        return Build(folder, 0.0)
    cache.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    staging = Path(tempfile.mkdtemp(prefix=f".{unit.name}-", dir=cache))
    try:
        (staging / "ports.vlt").write_text(control, encoding="utf-8")
        paths = [staging / "ports.vlt", *files]
        _compile_with_runtime(unit, paths, staging, cache, tools, extra, optimize)
        _publish(staging, folder, unit)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Build(folder, time.perf_counter() - start)


def _control_file(unit: Unit, files: Sequence[Path]) -> str:
    # Only the ports stay visible to cocotb: smaller and three times faster than the default, everything.
    lines = ["`verilator_config"]
    lines += [f'public_flat_rw -module "{unit.top}" -var "{signal}"' for signal in unit.signals]
    names = {file.stem for file in files}
    lines += [f'no_inline -module "{module}"' for module in SEPARATE_MODULES if module in names]
    return "\n".join(lines) + "\n"


def _key(unit: Unit, files: Sequence[Path], control: str, tools: Toolchain, extra: Sequence[str]) -> str:
    made_of = {
        "parameters": unit.parameters,
        "arguments": [*VERILATOR_ARGS, *extra],
        "control": control,
        "tools": tools.versions,
        "program": sys.prefix,
        "sources": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def _compile_with_runtime(
    unit: Unit,
    files: Sequence[Path],
    staging: Path,
    cache: Path,
    tools: Toolchain,
    extra: Sequence[str],
    optimize: str,
) -> None:
    versions = json.dumps([tools.versions, sys.prefix, *extra])
    runtime = cache / f"runtime-{hashlib.sha256(versions.encode()).hexdigest()[:16]}"
    with _locked(runtime.with_suffix(".lock")):
        if not runtime.is_dir():
            _compile(unit, files, staging, (), extra, optimize)
            _keep_runtime(staging, runtime)
            return
    for name in RUNTIME_OBJECTS:
        shutil.copy(runtime / name, staging / name)
    _compile(unit, files, staging, RUNTIME_OBJECTS, extra, optimize)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # released by the system even if this process is killed
        yield


def _keep_runtime(staging: Path, runtime: Path) -> None:
    copy = Path(tempfile.mkdtemp(prefix=".runtime-", dir=runtime.parent))
    for name in RUNTIME_OBJECTS:
        shutil.copy(staging / name, copy / name)
    copy.rename(runtime)


def _publish(staging: Path, folder: Path, unit: Unit) -> None:
    for entry in staging.iterdir():
        if entry.name not in (unit.top, LOG_FILE, "ports.vlt"):
            entry.unlink()
    try:
        staging.rename(folder)
    except OSError:
        if not (folder / unit.top).is_file():  # else another process built the same meanwhile
            raise


def _compile(
    unit: Unit,
    files: Sequence[Path],
    staging: Path,
    ready: Sequence[str],
    extra: Sequence[str],
    optimize: str,
) -> None:
    """Run Verilator, then make; `ready` are object files in the folder that need no compiling."""
    import cocotb_tools.config  # here, so that a missing cocotb is reported by `check_tools`

    tools = check_tools()
    libraries = cocotb_tools.config.libs_dir
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    translate = [str(tools.verilator), *VERILATOR_ARGS, *extra, "--top-module", unit.top, "-o", unit.top]
    translate += ["-Mdir", str(staging)]
    translate += ["-LDFLAGS", f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"]
    translate += [f"-G{name}={value}" for name, value in unit.parameters.items()]
    _call(unit, [*translate, str(main), *map(str, files)], staging)
    for name in ready:
        (staging / name).touch()  # or make sees that Verilator's makefile is newer
    jobs = str(os.cpu_count() or 1)
    _call(
        unit,
        [tools.make, "-j", jobs, "-C", str(staging), "-f", f"{PREFIX}.mk", f"OPT_FAST={optimize}"],
        staging,
    )


def _call(unit: Unit, command: Sequence[str], staging: Path) -> None:
    log = staging / LOG_FILE
    with log.open("ab") as output:
        done = subprocess.run(
            command, cwd=staging, env=verilator_environment(), stdout=output, stderr=subprocess.STDOUT
        )
    if done.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        program = Path(command[0]).name
        raise BuildError(f"{unit.top} {unit.parameters}: {program} failed\n" + "\n".join(lines))
