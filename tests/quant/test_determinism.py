"""The same seed gives the same codes, on every run and with every number of threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fpsim.quant.recipes import RECIPES

THREADS = (1, 2, 2)  # the last one again: another run
_LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
Digests = dict[str, str]


def hashes(threads: int) -> Digests:
    """Recipe to the hash of its result, from a fresh process."""
    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("digests.py"))],
        env={**os.environ, **dict.fromkeys(_LIBRARIES, str(threads))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: Digests = json.loads(run.stdout)
    return found


def test_every_run_of_every_recipe_gives_the_same_model() -> None:
    """One test for all: a process takes its time, and every worker would start its own."""
    first, *others = (hashes(threads) for threads in THREADS)
    assert list(first) == list(RECIPES)
    for other in others:
        assert {name for name in first if first[name] != other[name]} == set()
