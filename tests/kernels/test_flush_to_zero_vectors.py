"""Flush-to-zero, set by another library in this process, changes nothing on vectors either."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from fpsim.kernels.linear import linear
from fpsim.kernels.prepared import Prepared
from fpsim.kernels.rows import quantize_rows


@pytest.fixture
def flushing() -> Iterator[None]:
    assert torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)


@pytest.mark.usefixtures("flushing")
def test_subnormal_rows_and_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = np.array([1], np.uint32).view(np.float32)
    assert (tiny * np.float32(1)).view(np.uint32)[0] == 0
    rng = np.random.default_rng(50)
    x = rng.integers(0, 3 << 10, (12, 64), dtype=np.uint16)  # subnormal numbers and the smallest normal ones
    a, b = (rng.integers(0, 16, (rows, 64), dtype=np.uint8) for rows in (9, 50))
    row, col = np.full(9, 110 << 10, np.uint32), (rng.integers(110, 124, 50) << 10).astype(np.uint32)
    bias = rng.integers(0, 0x401, 50, dtype=np.uint16)
    results = []
    for setting in ("1", "0"):
        monkeypatch.setenv("FPSIM_AVX512", setting)
        rows = quantize_rows(x, guard_bits=4, hadamard_n=32, signs=None, fmt="e2m1")
        y = linear(Prepared(a, "e2m1"), Prepared(b, "e2m1"), 26, row, col, bias)
        results.append([*rows, y])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    assert ((results[0][3] & 0x7C00) == 0).any()
    assert results[0][0].any()
