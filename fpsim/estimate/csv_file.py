"""An estimate as CSV: a line per layer, then block, forward pass and image; columns name their units."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from pathlib import Path
from typing import Any

from fpsim.estimate.band import ZERO
from fpsim.estimate.estimate import PARTS
from fpsim.estimate.result import Estimate, Sum, energy_columns, layer_record

_PLAIN = {
    "layer": "layer",
    "kind": "kind",
    "runs_on": "runs_on",
    "count": "count",
    "blocks": "blocks",
    "m": "M",
    "n": "N",
    "k": "K",
    "activation_bits": "activation_width_bit",
    "weight_bits": "weight_width_bit",
    "passes": "array_passes",
    "macs": "work_MAC",
    "cycles": "time_cycle",
    "stall_cycles": "stall_cycle",
    "top_cycles": "top_time_cycle",
    "utilization": "utilization_1",
    "tiles": "tiles",
    "hadamard_beats": "hadamard_beats",
    "sram_written_bits": "sram_written_bit",
    "sram_read_bits": "sram_read_bit",
    "dram_bits": "dram_bit",
    "macs_per_dram_byte": "intensity_MAC_per_byte",
}
_LATENCY = "latency_us"
COLUMNS = (*_PLAIN.values(), _LATENCY, *energy_columns(dict.fromkeys(PARTS, ZERO), ZERO))


def csv_text(result: Estimate) -> str:
    """The estimate as CSV; what the host runs has no cycles and no energy."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    clock = result.settings.clock_mhz
    for cost in result.layers:
        record = layer_record(cost, result.settings)
        row = {column: record[name] for name, column in _PLAIN.items() if record.get(name) is not None}
        if not cost.on_host:
            row |= {_LATENCY: cost.cycles / clock, **energy_columns(cost.parts_pj, cost.energy_pj)}
        writer.writerow(row)
    for name, each in (("block", result.block), ("forward pass", result.forward), ("image", result.image)):
        writer.writerow(_sum(name, each, clock))
    return out.getvalue()


def write_csv(result: Estimate, path: Path) -> None:
    """Write the CSV, whole or not at all. OSError where it cannot be written."""
    text = csv_text(result)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _sum(name: str, each: Sum, clock_mhz: float) -> dict[str, Any]:
    total = each.total
    return {
        "layer": name,
        "kind": "sum",
        "work_MAC": total.macs,
        "time_cycle": total.cycles,
        "stall_cycle": each.stall_cycles,
        "utilization_1": total.utilization,
        "sram_written_bit": each.sram_written_bits,
        "sram_read_bit": each.sram_read_bits,
        "dram_bit": each.dram_bits,
        _LATENCY: total.cycles / clock_mhz,
        **energy_columns(total.parts_pj, total.energy_pj),
    }
