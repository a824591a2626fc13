"""The second linter: slang elaborates all of the RTL with every warning on, except those waived here by name.

Verilator lints what it compiles; slang is a front end alone, written from the standard, so what both accept
is more likely to be SystemVerilog than one tool's idea of it.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from fpsim.verify.rtl_files import PACKAGE, default_rtl_folder
from fpsim.verify.toolchain import ToolMissing

SLANG_HINT = 'pip install "fpsim[dev]"'
_SIGN = "words are bits here; signs are cast where they matter, and Verilator's width checks stay on"

# Warnings that are switched off everywhere, each with its reason.
WAIVERS: dict[str, str] = {
    "sign-conversion": _SIGN,
    "bitwise-op-mismatch": _SIGN,
    "arith-op-mismatch": _SIGN,
    "sign-compare": _SIGN,
    "bitwise-op-parentheses": "& binds before |, as * before +",
    "signed-logical-shift": "masks of formats are int parameters, never negative",
    "useless-cast": "a width cast says what a parameter may change",
}
_MESSAGE = re.compile(r"^(?P<place>\S+?:\d+:\d+): (?P<level>warning|error): (?P<text>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Complaint:
    """One message of the linter.

    Attributes:
        place: file, line and column.
        level: warning or error.
        text: the message, with the name of the warning.
    """

    place: str
    level: str
    text: str


def lint_with_slang(rtl: Path | None = None, *, waived: bool = True) -> list[Complaint]:
    """Elaborate every module of a folder and return what slang says against it.

    Args:
        rtl: folder of the SystemVerilog; None: the repository's own.
        waived: leave out what `WAIVERS` names.

    Raises:
        ToolMissing: pyslang is not installed.
        FileNotFoundError: the folder holds no SystemVerilog.
    """
    if importlib.util.find_spec("pyslang") is None:
        raise ToolMissing("Python package 'pyslang'", "is the second linter", SLANG_HINT)
    folder = default_rtl_folder() if rtl is None else rtl
    files = sorted(folder.glob("*.sv"), key=lambda file: (file.stem != PACKAGE, file.name))
    if not files:
        raise FileNotFoundError(f"{folder}: no SystemVerilog in this folder")
    flags = ["-Weverything", *(f"-Wno-{name}" for name in WAIVERS if waived)]
    text = _run(flags, files)
    return [Complaint(**match.groupdict()) for match in _MESSAGE.finditer(text)]


def _run(flags: list[str], files: list[Path]) -> str:
    from pyslang import DiagnosticEngine, TextDiagnosticClient  # here, so that its absence is reported
    from pyslang.driver import Driver

    driver = Driver()
    driver.addStandardArgs()
    command = " ".join(["slang", *flags, *(f'"{file}"' for file in files)])
    if not (driver.parseCommandLine(command) and driver.processOptions() and driver.parseAllSources()):
        raise RuntimeError(f"slang refused: {command}")
    compilation = driver.createCompilation()
    engine = DiagnosticEngine(driver.sourceManager)
    engine.setWarningOptions([flag[2:] for flag in flags])
    client = TextDiagnosticClient()
    engine.addClient(client)
    for diagnostic in compilation.getAllDiagnostics():
        engine.issue(diagnostic)
    return str(client.getString())
