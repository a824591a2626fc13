"""SCALE-Sim v3, run from an environment of its own: cycles and traffic of the twelve shapes we are held to.

`python -m venv E; E/bin/pip install scalesim==3.0.0 "numpy<2.4"` (with numpy 2.4 it ends in a TypeError). It
writes gigabytes of traces whatever it is told, so it runs in a folder that is removed.
"""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

VERSION = "3.0.0"
DATAFLOWS = ("os", "ws", "is")
# (M, N, K), rows, columns.
SHAPES = (
    ((256, 1152, 1152), 32, 32),
    ((40, 50, 37), 8, 16),
    ((16, 24, 64), 8, 16),
    ((7, 9, 100), 8, 16),
)
SRAM_KB = 256  # of each operand; cycles and SRAM accesses do not depend on it
LONGEST_RUN_S = 3600

_CONFIG = """[general]
run_name = run
[architecture_presets]
ArrayHeight = {rows}
ArrayWidth = {cols}
IfmapSramSzkB = {sram}
FilterSramSzkB = {sram}
OfmapSramSzkB = {sram}
IfmapOffset = 0
FilterOffset = 10000000
OfmapOffset = 20000000
Dataflow = {dataflow}
Bandwidth = 10
ReadRequestBuffer = 32
WriteRequestBuffer = 32
[layout]
IfmapCustomLayout = False
IfmapSRAMBankBandwidth = 10
IfmapSRAMBankNum = 10
IfmapSRAMBankPort = 2
FilterCustomLayout = False
FilterSRAMBankBandwidth = 10
FilterSRAMBankNum = 10
FilterSRAMBankPort = 2
[sparsity]
SparsitySupport = false
SparseRep = ellpack_block
OptimizedMapping = false
BlockSize = 8
RandomNumberGeneratorSeed = 40
[run_presets]
InterfaceBandwidth = CALC
UseRamulatorTrace = False
"""


def run_scalesim(python: Path) -> dict[str, Any]:
    """Simulate the twelve cases with the SCALE-Sim that a Python interpreter has.

    Args:
        python: interpreter of an environment with scalesim.

    Returns:
        Versions and runs, as in peers.json.

    Raises:
        RuntimeError: no scalesim there, or it failed; the message holds its last words.
    """
    versions = _output(
        [python, "-c", _VERSIONS.format(names=("scalesim", "numpy"))], Path.cwd(), "no scalesim there"
    )
    runs = [
        _run(python, dataflow, shape, rows, cols) for shape, rows, cols in SHAPES for dataflow in DATAFLOWS
    ]
    return {"versions": json.loads(versions), "sram_kb": SRAM_KB, "runs": runs}


_VERSIONS = "import importlib.metadata as m, json; print(json.dumps({{n: m.version(n) for n in {names!r}}}))"


def _run(
    python: Path, dataflow: str, shape: tuple[int, int, int], rows: int, cols: int
) -> dict[str, str | int | float]:
    m, n, k = shape
    with tempfile.TemporaryDirectory(prefix="fpsim-scalesim-") as name:
        folder = Path(name)
        (folder / "run.cfg").write_text(
            _CONFIG.format(rows=rows, cols=cols, sram=SRAM_KB, dataflow=dataflow), "utf-8"
        )
        (folder / "gemm.csv").write_text(f"Layer,M,N,K,\ngemm,{m},{n},{k},\n", "utf-8")
        (folder / "layout.csv").write_text(f"Layer,factors\ngemm,{'1,' * 21}\n", "utf-8")
        words = "-m scalesim.scale -c run.cfg -t gemm.csv -l layout.csv -p out -i gemm -s N"
        _output([python, *words.split()], folder, f"scalesim {dataflow} {m}x{n}x{k} failed")
        compute = _row(folder / "out" / "run" / "COMPUTE_REPORT.csv")
        access = _row(folder / "out" / "run" / "DETAILED_ACCESS_REPORT.csv")
    return {
        "dataflow": dataflow,
        "m": m,
        "n": n,
        "k": k,
        "rows": rows,
        "cols": cols,
        "cycles": int(compute["Total Cycles"]),
        "stall_cycles": int(compute["Stall Cycles"]),
        "utilization_percent": round(float(compute["Overall Util %"]), 4),
        **{
            f"{memory.lower()}_{ours}_words": int(float(access[f"{memory} {theirs}"]))
            for memory in ("SRAM", "DRAM")
            for ours, theirs in (
                ("activation_read", "IFMAP Reads"),
                ("weight_read", "Filter Reads"),
                ("output_written", "OFMAP Writes"),
            )
        },
    }


def _row(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file, skipinitialspace=True)
    return {name.strip(): value for name, value in row.items() if name and name.strip()}


def _output(command: list[str | Path], folder: Path, trouble: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_RUN_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{trouble}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout
