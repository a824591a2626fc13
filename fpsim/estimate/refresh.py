"""Measure the committed unit costs anew: `python -m fpsim.estimate.refresh LIBERTY...`.

For every library the default configuration and one built for E2M1 alone (whose exact accumulator needs
21 bits at K = 4608: 1 + ceil(log2(144 * 4608 + 1))). A few minutes per library.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate.characterize import characterize
from fpsim.estimate.constants import load_constants
from fpsim.estimate.costs import DATA
from fpsim.estimate.liberty import Library

CONFIGS = {
    "": ArrayConfig(),
    "_e2m1": ArrayConfig(unit=UnitConfig(formats=("e2m1",), acc_bits=21)),
}


def refresh(liberty: Path, suffix: str, folder: Path = DATA) -> Path:
    """Characterize one library in one of `CONFIGS`; returns the file written."""
    name = load_constants().library(Library.read(liberty).name).name
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
