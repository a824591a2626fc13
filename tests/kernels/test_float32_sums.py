"""The float32 loops: against numpy's float32, one addition after the other, and the general accumulator."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim import matmul
from fpsim.formats import Accumulator
from fpsim.kernels.float32_sums import COLUMNS, by_blocks, by_scaled_blocks, in_order

SHAPES = [(1, 1, 1), (4, 5, 4), (7, 13, 31), (5, COLUMNS, 32), (9, 2 * COLUMNS + 3, 75)]


@pytest.mark.parametrize("shape", SHAPES)
def test_fp16_products_in_order_are_the_sequential_accumulator(shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    rng = np.random.default_rng(shape)
    a, b = (
        (rng.standard_normal((r, k)) * 10.0 ** rng.integers(-6, 4, (r, k))).astype(np.float16) for r in (m, n)
    )
    expected = matmul(
        a.view(np.uint16), b.view(np.uint16), a_fmt="fp16", b_fmt="fp16", acc=Accumulator.sequential("fp32")
    )
    got = in_order(a.astype(np.float32), np.ascontiguousarray(b.astype(np.float32).T))
    assert (got.view(np.uint32) == expected.view(np.uint32)).all()


def integers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-255, 256, shape).astype(np.float32)


@pytest.mark.parametrize("block", [1, 3, 16, 32, 100])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_operation_on_a_block_is_rounded_by_itself(shape: tuple[int, int, int], block: int) -> None:
    m, n, k = shape
    rng = np.random.default_rng([*shape, block])
    a, b = integers(rng, m, k), integers(rng, k, n)
    groups = -(-k // block)
    sa = (10.0 ** rng.uniform(-3, 3, (m, groups))).astype(np.float32)
    sb = (10.0 ** rng.uniform(-3, 3, (groups, n))).astype(np.float32)
    plain, scaled = np.zeros((m, n), np.float32), np.zeros((m, n), np.float32)
    for g in range(groups):
        part = slice(g * block, (g + 1) * block)
        dot = (a[:, part].astype(np.int64) @ b[part].astype(np.int64)).astype(np.float32)
        plain = plain + dot
        product = (dot * sa[:, g, None]) * sb[g]
        scaled = scaled + product
    assert (by_blocks(a, b, block).view(np.uint32) == plain.view(np.uint32)).all()
    assert (by_scaled_blocks(a, b, sa, sb, block).view(np.uint32) == scaled.view(np.uint32)).all()


def test_a_fused_multiply_add_would_be_seen() -> None:
    """The test above has operands whose rounded and unrounded products lead to different sums."""
    rng = np.random.default_rng(3)
    s, x, acc = (rng.standard_normal(1000).astype(np.float32) for _ in range(3))
    fused = (s.astype(np.float64) * x + acc).astype(np.float32)
    assert (fused != s * x + acc).any()
