"""Unit costs of whole libraries: each of the measured configurations, into one folder.

For every library the default configuration and one built for E2M1 alone (whose exact accumulator needs
21 bits at K = 4608: 1 + ceil(log2(144 * 4608 + 1))). `python -m fpsim.estimate.refresh LIBERTY...` measures
the committed costs anew, some minutes per library.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate.characterize import characterize
from fpsim.estimate.constants import load_constants
from fpsim.estimate.costs import DATA
from fpsim.estimate.liberty import Library
from fpsim.estimate.stimulus import from_file

CONFIGS = {
    "": ArrayConfig(),
    "_e2m1": ArrayConfig(unit=UnitConfig(formats=("e2m1",), acc_bits=21)),
}

Show = Callable[[int, int, str], None]


def characterize_libraries(
    libraries: Sequence[Path], out: Path, show: Show | None = None, operands: Path | None = None
) -> list[dict[str, Any]]:
    """Characterize libraries one after the other.

    Args:
        libraries: Liberty files, plain or .gz.
        out: a folder, which gets `units_<library>.json` and `units_<library>_e2m1.json` of each; or a .json
            file, for one library in the default configuration.
        show: called with (steps done, steps in all, what comes next), anew for every file.
        operands: an .npz with float `x` (M, K) and `w` (N, K), a layer's for instance: a further stimulus,
            "file".

    Returns:
        What was written, in that order.

    Raises:
        ValueError: an unreadable, unknown or repeated library, operands that do not fit, or one file for
            several; before any work.
        RuntimeError: a tool is missing or failed, or a netlist does not compute what the RTL does.
    """
    if not libraries:
        raise ValueError("liberty: none given; expected one or more Liberty files")
    if operands is not None:
        for config in CONFIGS.values():
            from_file(operands, config, config.unit.formats[0])
    targets = [(name, path) for path, name in zip(libraries, _names(libraries), strict=True)]
    if out.suffix == ".json":
        if len(libraries) > 1:
            raise ValueError(
                f"out={str(out)!r}: one file for {len(libraries)} libraries; expected the name of a folder"
            )
        return [characterize(libraries[0], CONFIGS[""], out, show, operands=operands)]
    if out.exists() and not out.is_dir():
        raise ValueError(f"out={str(out)!r}: a file that is no .json; expected a folder or a .json file")
    return [
        characterize(path, config, out / f"units_{name}{suffix}.json", show, operands=operands)
        for name, path in targets
        for suffix, config in CONFIGS.items()
    ]


def _names(libraries: Sequence[Path]) -> list[str]:
    """Short names, of files that are all readable and known."""
    names: list[str] = []
    for path in libraries:
        name = load_constants().library(Library.read(path).name).name
        if name in names:
            raise ValueError(f"liberty={str(path)!r}: the library {name} is given twice")
        names.append(name)
    return names


def refresh(liberty: Path, suffix: str, folder: Path = DATA) -> Path:
    """Characterize one library in one of `CONFIGS`; returns the file written."""
    (name,) = _names([liberty])
    out = folder / f"units_{name}{suffix}.json"

    def progress(done: int, of: int, what: str) -> None:
        print(f"[{done + 1}/{of}] {out.stem}: {what.split(': ', 1)[1]}", file=sys.stderr, flush=True)

    characterize(liberty, CONFIGS[suffix], out, progress)
    return out


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure the committed unit costs anew.")
    parser.add_argument("liberty", nargs="+", type=Path, help="Liberty files, plain or .gz")
    parser.add_argument("--folder", type=Path, default=DATA, help="where the JSON files go")
    parser.add_argument("--jobs", type=int, default=1, help="libraries and configurations at a time")
    args = parser.parse_args()
    with ProcessPoolExecutor(args.jobs) as pool:
        jobs = [
            pool.submit(refresh, path, suffix, args.folder) for path in args.liberty for suffix in CONFIGS
        ]
        for job in jobs:
            print(job.result())


if __name__ == "__main__":
    main()
