"""Other people's estimators beside ours: `python -m fpsim.estimate.peers` prints the table.

With `--scalesim PYTHON` and `--zigzag PYTHON`, interpreters of environments that hold them (`peer_scalesim`,
`peer_zigzag` say how to make those), they are run first and what they said is written to `data/peers.json`.
Our side is held to that file by tests, which need none of them.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fpsim.estimate.costs import DATA
from fpsim.estimate.peer_cacti import run_cacti
from fpsim.estimate.peer_scalesim import run_scalesim
from fpsim.estimate.peer_zigzag import run_zigzag
from fpsim.estimate.peers_table import markdown, peers_table

PEERS = DATA / "peers.json"
SCHEMA_VERSION = 1

# Not run: hwcomponents needs another Python, and its CACTI a newer C library. Its own table of multipliers
# and adders (Aladdin), a register of 29 (45) bits for INT4 (INT8) beside them; pJ per multiply-accumulate.
HWCOMPONENTS: dict[str, Any] = {
    "versions": {"hwcomponents": "1.0.114"},
    "source": "Accelergy-Project/hwcomponents, Aladdin tables scaled with Stillmaker & Baas; read, not run "
    "here",
    "macs": [
        {"operand_bits": 4, "node_nm": 7, "multiply_pj": 0.0215, "add_pj": 0.0171, "registers_pj": 0.028},
        {"operand_bits": 8, "node_nm": 7, "multiply_pj": 0.086, "add_pj": 0.023, "registers_pj": 0.044},
    ],
}


def load_peers(path: Path = PEERS) -> dict[str, Any]:
    """What the peers said.

    Raises:
        ValueError: a damaged file, or one of another schema.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if record["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {record['schema_version']}, expected {SCHEMA_VERSION}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: no file of peers: {error}") from error
    return record


def refresh(scalesim: Path | None, zigzag: Path | None, path: Path = PEERS) -> None:
    """Run those peers whose interpreter is named, keep what the others said, write the file whole.

    Raises:
        RuntimeError: a peer failed; the file is as before.
    """
    known = load_peers(path) if path.exists() else {"hwcomponents": HWCOMPONENTS}
    today = {"date": datetime.now(UTC).date().isoformat()}
    found: dict[str, Any] = {"hwcomponents": HWCOMPONENTS}
    if zigzag:
        found |= {"zigzag": run_zigzag(zigzag) | today, "cacti": run_cacti(zigzag) | today}
    if scalesim:
        found |= {"scalesim": run_scalesim(scalesim) | today}
    record = {**known, **found, "schema_version": SCHEMA_VERSION}
    staging = path.with_suffix(".part")
    staging.write_text(json.dumps(dict(sorted(record.items())), indent=1) + "\n", "utf-8")
    staging.replace(path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Run other estimators, and show them beside this one.")
    parser.add_argument("--scalesim", type=Path, help="Python interpreter that has scalesim 3.0.0")
    parser.add_argument("--zigzag", type=Path, help="Python interpreter that has zigzag-dse 3.9.1")
    args = parser.parse_args()
    if args.scalesim or args.zigzag:
        refresh(args.scalesim, args.zigzag)
    print(markdown(peers_table(load_peers())))


if __name__ == "__main__":
    main()
