"""`fpsim estimate`: settings from a file and from options, the estimate, and how it is shown."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from fpsim.demo.cost import workload_of
from fpsim.demo.models import model_shape
from fpsim.estimate import ASSUMPTIONS, find_units, load_units
from fpsim.estimate.csv_file import write_csv
from fpsim.estimate.result import Estimate, Sum, estimate_model
from fpsim.estimate.settings import Settings
from fpsim.estimate.settings_file import load_settings
from fpsim.report.tables import workload_table
from fpsim.report.terminal import rich_table
from fpsim.report.text import energy_scale, seconds

_OF_ARRAY = ("rows", "cols")


def run_estimate(path: Path | None, options: dict[str, Any], csv: Path | None = None) -> Estimate:
    """Estimate what a file of settings and options ask for.

    Args:
        path: file of settings; None: the defaults.
        options: fields of `Settings`, and rows and cols; those that are not None hold before the file's.
        csv: file to write the result to as well.

    Raises:
        ValueError: anything that is not legal, unknown, or does not fit together.
        OSError: the CSV cannot be written; nothing was estimated.
    """
    settings = _with_options(load_settings(path) if path else Settings(), options)
    if csv is not None:
        _check_place(csv)
    shape = model_shape(settings.model, settings.resolution, settings.frames)
    units = (
        load_units(settings.units) if settings.units else find_units(settings.library, settings.config.unit)
    )
    result = estimate_model(shape, settings, units)
    if csv is not None:
        write_csv(result, csv)
    return result


def as_json(result: Estimate) -> dict[str, Any]:
    """The estimate as plain data, with what it assumes."""
    return {"assumptions": list(ASSUMPTIONS), **result.to_dict()}


def show(result: Estimate, console: Console) -> None:
    """Print a table of layers, the sums, and what is assumed."""
    config = result.settings.config
    workload = workload_of(result.name, result.layers, config)
    table = workload_table(workload, config.to_dict())
    titles = [column.title for column in table.columns if column.title != "MACs"]  # fits in 80 columns
    console.print(rich_table(table, workload.title, titles))
    passes = result.settings.passes_per_image
    clock = result.settings.clock_mhz
    sums = (("one block", result.block), ("one forward pass", result.forward))
    whole = "video" if result.settings.model.lower() == "stdit" else "image"
    for name, each in (*sums, (f"one {whole}, {passes} forward pass{'es' * (passes > 1)}", result.image)):
        console.print(f"{name}: {_sentence(each, clock)}", highlight=False, soft_wrap=True)
    for sentence in ASSUMPTIONS:
        console.print(f"- {sentence}")


def _sentence(each: Sum, clock_mhz: float) -> str:
    total, energy = each.total, each.total.energy_pj
    waiting = f", {each.stall_cycles:,} of them waiting for memory" if each.stall_cycles else ""
    unit = energy_scale(energy.mid)
    low, mid, high = (f"{end / unit.factor:.4g}" for end in (energy.low, energy.mid, energy.high))
    return (
        f"{total.macs / 1e9:.4g} GMAC, {total.cycles:,} cycles{waiting} "
        f"({seconds(total.cycles / clock_mhz / 1e6)} at {clock_mhz:g} MHz), "
        f"{mid} {unit.unit} ({low} to {high}), {each.dram_bits / 8e6:.4g} MB from and to DRAM"
    )


def _with_options(settings: Settings, options: dict[str, Any]) -> Settings:
    given = {name: value for name, value in options.items() if value is not None}
    sizes = {name: given.pop(name) for name in _OF_ARRAY if name in given}
    if sizes:
        given["config"] = replace(settings.config, **sizes)
    if "library" in given and "units" not in given:
        given["units"] = None  # the library that was asked for, not the file's units
    return replace(settings, **given)


def _check_place(path: Path) -> None:
    """See that a file can be made there."""
    if path.is_dir():
        raise OSError(f"csv={str(path)!r}: a folder has this name")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OSError(f"csv={str(path)!r}: cannot be written ({error.strerror or error})") from error
