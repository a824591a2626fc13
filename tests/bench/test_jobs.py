"""The benchmark's jobs run, and what they race computes what it claims to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fpsim.bench import measure
from fpsim.bench.jobs import JOBS, run_jobs
from fpsim.bench.table import comparison_table
from fpsim.kernels.mac_array import mac_array


@pytest.mark.slow
def test_every_job_runs_and_compares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "MIN_SECONDS", 0.0)
    monkeypatch.setattr(measure, "ROUNDS", 1)
    results = list(run_jobs())
    assert len(results) == len(JOBS)
    assert all(r.seconds > 0 and r.peer_seconds > 0 and r.rate > 0 for r in results)
    assert all(r.ratio == pytest.approx(r.peer_seconds / r.seconds) for r in results)
    assert comparison_table(results).row_count == len(JOBS)


def test_the_exact_product_equals_the_peer_it_races() -> None:
    """torch._int_mm on the operands' units gives the same integers."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 16, (32, 96), dtype=np.uint8), rng.integers(0, 16, (24, 96), dtype=np.uint8)
    units = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], np.int8)
    peer = torch._int_mm(torch.from_numpy(units[a]), torch.from_numpy(units[b]).T)
    assert mac_array(a, b, "e2m1", "e2m1", 26).tolist() == peer.tolist()
