"""Where the SystemVerilog lies, and which files a module needs."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = "fpsim_pkg"


def default_rtl_folder() -> Path:
    """The rtl/ folder beside the package.

    Raises:
        FileNotFoundError: the package was installed without its repository.
    """
    folder = Path(__file__).resolve().parents[2] / "rtl"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"no RTL in {folder}: run from a checkout (pip install -e .) or name a folder"
        )
    return folder


def sources(top: str, folder: Path) -> tuple[Path, ...]:
    """The files that a module needs, its package first, the module itself last.

    Found by following the names of the files in the folder through the text without comments.

    Raises:
        FileNotFoundError: the folder has no `<top>.sv`.
    """
    if not (folder / f"{top}.sv").is_file():
        raise FileNotFoundError(f"{folder / top}.sv: no such RTL module")
    order: list[str] = []

    def visit(name: str) -> None:
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", (folder / f"{name}.sv").read_text("utf-8"), flags=re.DOTALL)
        for used in sorted(set(re.findall(r"\bfpsim_\w+", text)) - {name}):
            if used not in order and (folder / f"{used}.sv").is_file():
                visit(used)
        if name not in order:
            order.append(name)

    visit(top)
    order.sort(key=lambda name: name != PACKAGE)
    return tuple(folder / f"{name}.sv" for name in order)
