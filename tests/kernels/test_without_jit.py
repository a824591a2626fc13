"""The inner loops are plain Python too: with the compiler off they give the same bits, without a warning."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.kernels.small_results import small_results


def test_results_with_the_compiler_off_are_the_same() -> None:
    script = Path(__file__).with_name("small_results.py")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    interpreted, compiled = json.loads(run.stdout), small_results()
    assert interpreted.keys() == compiled.keys()
    for name, want in compiled.items():
        assert interpreted[name] == want, name
    assert len(compiled) > 150
