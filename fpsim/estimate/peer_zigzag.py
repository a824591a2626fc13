"""ZigZag, run from an environment of its own: cycles and energy of the large shape on its TPU-like machine.

`python -m venv E; E/bin/pip install zigzag-dse==3.9.1 six` (it forgets to ask for six). The wheel brings a
binary of CACTI 7 along (`fpsim.estimate.peer_cacti`).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

VERSION = "3.9.1"
SHAPE = (256, 1152, 1152)  # M, N, K
SIDE = 32  # of its TPU-like array
BITS = (4, 8)
# What the two sides of the array hold: ZigZag's K is our N, its C our K, its B our M.
MAPPINGS = {"ws": ("K", "C"), "os": ("K", "B")}
LONGEST_RUN_S = 900

_PROGRAM = """
import importlib.metadata, json, logging, sys
from pathlib import Path
import zigzag
from zigzag.api import get_hardware_performance_zigzag

inputs = Path(zigzag.__file__).parent / "inputs"
runs = []
for job in json.loads(sys.argv[1]):
    Path("workload.yaml").write_text(job["workload"])
    Path("mapping.yaml").write_text(job["mapping"])
    energy, latency, models = get_hardware_performance_zigzag(
        workload="workload.yaml", accelerator=str(inputs / "hardware" / "tpu_like.yaml"),
        mapping="mapping.yaml", opt="latency", dump_folder="out", loma_show_progress_bar=False)
    model = models[0][0]
    runs.append({
        "cycles": int(latency), "ideal_cycles": int(model.ideal_cycle),
        "stall_cycles": int(model.latency_total0 - model.ideal_temporal_cycle),
        "rounding_cycles": int(model.ideal_temporal_cycle - model.ideal_cycle),
        "loading_cycles": int(model.data_onloading_cycle), "unloading_cycles":
        int(model.data_offloading_cycle), "energy_pj": float(energy), "mac_energy_pj":
        float(model.mac_energy)})
version = importlib.metadata.version("zigzag-dse")
print("RESULT" + json.dumps({"versions": {"zigzag-dse": version}, "runs": runs}))
"""


def run_zigzag(python: Path) -> dict[str, Any]:
    """Estimate the large shape with the ZigZag that a Python interpreter has.

    Args:
        python: interpreter of an environment with zigzag-dse.

    Returns:
        Versions and runs, as in peers.json.

    Raises:
        RuntimeError: no zigzag there, or it failed; the message holds its last words.
    """
    m, n, k = SHAPE
    cases = [(dataflow, bits) for dataflow in MAPPINGS for bits in BITS]
    jobs = [{"workload": _workload(bits), "mapping": _mapping(dataflow)} for dataflow, bits in cases]
    with tempfile.TemporaryDirectory(prefix="fpsim-zigzag-") as folder:
        done = subprocess.run(
            [python, "-c", _PROGRAM, json.dumps(jobs)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LONGEST_RUN_S,
            check=False,
        )
    found = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    if done.returncode or not found:
        raise RuntimeError(f"zigzag failed: {(done.stderr or done.stdout).strip()[-500:]}")
    result: dict[str, Any] = json.loads(found[0].removeprefix("RESULT"))
    head = {"m": m, "n": n, "k": k, "rows": SIDE, "cols": SIDE}
    result["runs"] = [
        {"dataflow": dataflow, "operand_bits": bits, **head, **run}
        for (dataflow, bits), run in zip(cases, result["runs"], strict=True)
    ]
    return result


def _workload(bits: int) -> str:
    m, n, k = SHAPE
    return (
        "- id: 0\n  operator_type: Gemm\n  equation: O[b][k] += I[b][c] * W[k][c]\n"
        f"  loop_dims: [B, K, C]\n  loop_sizes: [{m}, {n}, {k}]\n"
        f"  operand_precision: {{W: {bits}, I: {bits}, O: 16, O_final: 16}}\n"
        "  operand_source: {I: 0, W: 0}\n"
    )


def _mapping(dataflow: str) -> str:
    first, second = MAPPINGS[dataflow]
    return (
        "- name: default\n  spatial_mapping:\n"
        f"    D1:\n      - {first}, {SIDE}\n    D2:\n      - {second}, {SIDE}\n"
        "  memory_operand_links: {O: O, W: I2, I: I1}\n"
    )
