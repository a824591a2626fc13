"""The peak of memory: arrays of known sizes, and the bound on a large product."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numba import njit

from fpsim import matmul
from fpsim.bench import memory
from fpsim.bench.measure import compare
from fpsim.bench.memory import peak_memory
from fpsim.bench.table import comparison_table
from fpsim.formats import Accumulator

SIZE = 100_000_000
SLACK = 5_000_000  # of a process that lives on beside the measurement


@njit
def _compiled(size: int) -> int:
    return np.ones(size, np.uint8).sum()


def near(size: int) -> object:
    return pytest.approx(size, abs=SLACK)


def test_arrays_of_every_origin_are_counted() -> None:
    _compiled(1)
    assert peak_memory(lambda: np.ones(SIZE, np.uint8)) == near(SIZE)
    assert peak_memory(lambda: torch.ones(SIZE, dtype=torch.uint8)) == near(SIZE)
    assert peak_memory(lambda: _compiled(SIZE)) == near(SIZE)


def test_what_was_there_before_and_what_is_freed_in_between_are_not() -> None:
    held = np.ones(SIZE, np.uint8)

    def two_after_one_another() -> None:
        for _ in range(2):
            np.ones(SIZE // 2, np.uint8)

    assert peak_memory(two_after_one_another) == near(SIZE // 2)
    assert held.all()


def test_numpys_arrays_are_counted_on_systems_without_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_RESET", memory.Path("/nowhere/clear_refs"))
    assert peak_memory(lambda: np.ones(SIZE, np.uint8)) == pytest.approx(SIZE, abs=10_000)


def test_a_comparison_reports_the_peak_of_ours() -> None:
    result = compare("a job", "peer", lambda: np.ones(SIZE, np.uint8), int, work=SIZE, unit="MAC/s", rounds=1)
    assert result.peak_bytes == near(SIZE)
    columns = comparison_table([result]).columns
    cells = {str(column.header): next(iter(column.cells)) for column in columns}
    megabytes, unit = str(cells["memory"]).split()
    assert (float(megabytes), unit) == (pytest.approx(result.peak_bytes / 1e6, rel=0.01), "MB")
    assert str(cells["our rate"]).endswith("GMAC/s")


@pytest.mark.parametrize(
    "acc", [Accumulator.exact(), Accumulator.sequential("fp16"), Accumulator.sequential("e4m3")]
)
def test_a_product_of_1024_by_4608_by_1152_stays_below_200_megabytes(acc: Accumulator) -> None:
    rng = np.random.default_rng(70)
    a, b = (rng.integers(0, 16, (rows, 4608), dtype=np.uint8) for rows in (1024, 1152))

    def product(rows: int = 1024) -> object:
        return matmul(a[:rows], b, a_fmt="e2m1", b_fmt="e2m1", acc=acc)

    product(8)
    assert peak_memory(product) < 200e6
