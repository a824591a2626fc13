"""The jobs of formats and rotation, on small inputs."""

from __future__ import annotations

from fpsim.bench.jobs import JOBS
from fpsim.bench.jobs_formats import FORMAT_JOBS, cast_16m_to_e2m1, hadamard_1152


def test_they_are_jobs_of_the_command() -> None:
    assert set(FORMAT_JOBS) <= set(JOBS)


def test_casting_is_compared_with_ml_dtypes() -> None:
    result = cast_16m_to_e2m1(1 << 20)
    assert (result.job, result.peer) == ("cast 1 Mi float32 to E2M1 codes", "ml_dtypes")
    assert result.ratio > 1  # a tenth of what a whole core shows


def test_the_full_rotation_is_compared_with_a_copy() -> None:
    result = hadamard_1152(64)
    assert (result.job, result.peer) == ("align, Hadamard 1152, quantize 64 rows of 1152", "numpy copy")
    assert 0 < result.ratio < 1
    assert result.rate > 0
