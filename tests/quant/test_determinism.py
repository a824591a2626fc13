"""The same seed gives the same codes, on every run and with every number of threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fpsim.quant.recipes import RECIPES

THREADS = (1, 2, 2)  # the last one again: another run
_LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
Digests = dict[str, str]


@pytest.fixture(scope="module")
def runs() -> list[Digests]:
    """The hashes of every recipe's result from fresh processes."""
    script = Path(__file__).with_name("digests.py")
    results = []
    for threads in THREADS:
        run = subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, **dict.fromkeys(_LIBRARIES, str(threads))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        results.append(json.loads(run.stdout))
    return results


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_run_gives_the_same_model(recipe: str, runs: list[Digests]) -> None:
    assert len(runs) == len(THREADS)
    assert len({run[recipe] for run in runs}) == 1, [run[recipe] for run in runs]
