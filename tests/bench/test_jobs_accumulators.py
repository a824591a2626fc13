"""The accumulator jobs, on small shapes: they run, and their two sides do the same work."""

from __future__ import annotations

import pytest

from fpsim.bench import jobs_accumulators as accumulators
from fpsim.bench.jobs import JOBS
from fpsim.bench.jobs_accumulators import ACCUMULATOR_JOBS

PRODUCTS = [job for job in ACCUMULATOR_JOBS if job is not accumulators.nvfp4_tensor_core]


def test_all_are_offered() -> None:
    assert set(ACCUMULATOR_JOBS) <= set(JOBS)


@pytest.mark.parametrize("job", PRODUCTS, ids=lambda job: job.__name__)
def test_a_product_is_compared(job: object) -> None:
    result = job((8, 64, 32))  # type: ignore[operator]
    assert "8x64x32" in result.job
    assert result.ratio > 0
    assert result.rate > 0
    assert 0 <= result.peak_bytes < 1 << 30


def test_the_tensor_core_is_compared_with_mmasim() -> None:
    result = accumulators.nvfp4_tensor_core(64)
    assert result.peer == "mmasim 2.1.1"
    assert result.ratio > 1
