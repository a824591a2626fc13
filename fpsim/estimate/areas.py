"""Area of every RTL module, for the tables of modules: `python -m fpsim.estimate.areas LIBERTY`.

Areas alone, of the smallest mapping, without buffers and sizing: what an operation costs is measured for the
units of `fpsim.estimate.units`, whose netlists are simulated first. Modules keep their default parameters,
but for `SIZES`; those in `LEFT_OUT` have no area. A module whose sources have not changed since the last run
is not synthesized again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fpsim.estimate.characterize import RTL, rtl_hash
from fpsim.estimate.constants import load_constants
from fpsim.estimate.costs import DATA
from fpsim.estimate.liberty import Library
from fpsim.estimate.liberty_text import read_text
from fpsim.estimate.synth import Synthesizer, source_files, yosys_version

AREAS = DATA / "areas_asap7.json"
SCHEMA_VERSION = 1
_EDGE = {"Rows": 4, "Cols": 4}
SIZES: dict[str, dict[str, int]] = {
    "fpsim_mac_array": _EDGE,
    "fpsim_mac_array_control": _EDGE,
    "fpsim_epilogue": {"Lanes": 4},
    "fpsim_wide_epilogue": {"Lanes": 4},
    "fpsim_zero_correction": {"Lanes": 4},
}
# These hold a memory, of which synthesis would make registers; in silicon it is an SRAM.
MEMORIES = (
    "fpsim_beat_memory",
    "fpsim_code_banks",
    "fpsim_column_bank",
    "fpsim_core",
    "fpsim_hadamard_outer",
    "fpsim_nibble_banks",
    "fpsim_row_align",
    "fpsim_row_path",
    "fpsim_row_rotation",
    "fpsim_sign_memory",
    "fpsim_tile_path",
    "fpsim_top",
)
# These are units of the table side by side, and what joins them.
JOINED = ("fpsim_row_amplitude", "fpsim_row_quantizer", "fpsim_tile_drain")
LEFT_OUT = MEMORIES + JOINED


@dataclass(frozen=True)
class ModuleArea:
    """Area of one module.

    Attributes:
        parameters: those that differ from the defaults.
        area_um2: sum of the cells' areas in um2; `sequential_um2` the flip-flops' part.
        ge: area in gate equivalents, the library's smallest two-input NAND.
        sources: SHA-256 of the module's sources without comments and white space.
    """

    parameters: dict[str, int]
    area_um2: float
    sequential_um2: float
    ge: float
    sources: str


def module_names(rtl: Path = RTL) -> list[str]:
    """The modules that have an area."""
    return sorted(
        path.stem for path in rtl.glob("*.sv") if not path.stem.endswith("_pkg") and path.stem not in LEFT_OUT
    )


def committed_areas(path: Path = AREAS) -> dict[str, ModuleArea]:
    """Areas by module, as last measured.

    Raises:
        ValueError: a damaged file, or one of another schema.
    """
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {record['schema_version']}, expected {SCHEMA_VERSION}")
        return {name: ModuleArea(**entry) for name, entry in record["modules"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: no file of areas: {error}") from error


def measure_area(module: str, liberty: Path, rtl: Path = RTL) -> ModuleArea:
    """Synthesize one module.

    Raises:
        ValueError: an unreadable or unknown library.
        RuntimeError: yosys is missing or failed.
    """
    library = Library.read(liberty)
    facts = load_constants().library(library.name)
    parameters = SIZES.get(module, {})
    with tempfile.TemporaryDirectory(prefix="fpsim-area-") as folder:
        synthesizer = Synthesizer(library, read_text(liberty), source_files(rtl, [module]), Path(folder))
        found = synthesizer.run(module, parameters, library.excluded(facts.exclude), sized=False)
    return ModuleArea(
        parameters,
        round(found.area_um2, 4),
        round(found.sequential_um2, 4),
        round(found.ge, 1),
        rtl_hash(rtl, [module]),
    )


def refresh_areas(liberty: Path, jobs: int = 1, path: Path = AREAS) -> None:
    """Measure the modules that changed, and write the file after each of them, whole or not at all."""
    known = committed_areas(path) if path.exists() else {}
    areas = {name: known[name] for name in module_names() if name in known and _is_current(name, known[name])}
    library = Library.read(liberty)
    header: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "library": load_constants().library(library.name).name,
        "tool": f"Yosys {yosys_version()}",
    }
    with ProcessPoolExecutor(jobs) as pool:
        pending = {
            name: pool.submit(measure_area, name, liberty) for name in module_names() if name not in areas
        }
        for name, job in pending.items():
            areas[name] = job.result()
            print(f"{name}: {areas[name].ge} GE", file=sys.stderr, flush=True)
            header["date"] = datetime.now(UTC).date().isoformat()
            modules = {module: asdict(areas[module]) for module in sorted(areas)}
            staging = path.with_suffix(".part")
            staging.write_text(json.dumps({**header, "modules": modules}, indent=1) + "\n", "utf-8")
            staging.replace(path)


def _is_current(module: str, area: ModuleArea) -> bool:
    return area.sources == rtl_hash(RTL, [module]) and area.parameters == SIZES.get(module, {})


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure the committed areas anew.")
    parser.add_argument("liberty", type=Path, help="Liberty file, plain or .gz")
    parser.add_argument("--jobs", type=int, default=1, help="modules at a time")
    args = parser.parse_args()
    refresh_areas(args.liberty, args.jobs)


if __name__ == "__main__":
    main()
