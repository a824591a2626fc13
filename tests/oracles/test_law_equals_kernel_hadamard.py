"""The law and the kernel of the Hadamard transform: exact, in fixed point, in FP16; every order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fpsim.arith import butterfly as law
from fpsim.arith.hadamard import hadamard as law_hadamard
from fpsim.kernels import butterfly as kernel
from fpsim.kernels.hadamard import hadamard_blocks
from tests.kernels.reference import finite_fp16

ORDERS: list[tuple[int, int | None]] = [
    *((1 << k, None) for k in range(13)),
    *((12 << k, None) for k in range(9)),
    *((36 << k, None) for k in range(8)),
    *((144 << k, 144) for k in range(6)),
]
ROUNDED: list[tuple[int, int | None]] = [
    (1, None), (2, None), (16, None), (12, None), (48, None), (36, None), (72, None), (144, None), (144, 144),
    (288, 144),
]  # fmt: skip


@pytest.mark.parametrize(("n", "base"), ORDERS)
def test_exact(n: int, base: int | None) -> None:
    rng = np.random.default_rng(n)
    x = rng.integers(-(1 << 15), 1 << 15, (1, 2 * n), dtype=np.int32)
    signs = rng.choice([-1, 1], 2 * n).astype(np.int8)
    got = hadamard_blocks(x, n, signs, base=base)[0].tolist()
    for part in (slice(0, n), slice(n, 2 * n)) if n <= 1024 else (slice(0, n),):
        assert got[part] == law_hadamard(x[0, part].tolist(), signs[part].tolist(), base)


@pytest.mark.parametrize(("n", "base"), ROUNDED)
@pytest.mark.parametrize("rounding", ["rne", "rna", "rdn"])
def test_fixed_point(n: int, base: int | None, rounding: Any) -> None:
    rng = np.random.default_rng(n)
    radices = law.stage_radices(n, base)
    assert radices == kernel.stage_radices(n, base)
    cases = 0
    for bits in (2, 5, 9, 16, 32):
        shifts = rng.integers(0, 4, len(radices)).tolist()
        signs = rng.choice([-1, 1], n).astype(np.int8)
        low = -(1 << (bits - 1))
        x = rng.integers(low, -low, (2, n), dtype=np.int32)
        x[0, 0] = low
        got = kernel.hadamard_fixed(x, n, shifts, bits, rounding, signs, base=base)
        for row, result in zip(x.tolist(), got.tolist(), strict=True):
            assert result == law.hadamard_fixed(row, shifts, bits, rounding, signs.tolist(), base)
            cases += n
    assert cases == 10 * n


@pytest.mark.parametrize(("n", "base"), ROUNDED)
def test_fp16(n: int, base: int | None) -> None:
    rng = np.random.default_rng(n)
    every = finite_fp16()
    for top in (0x0800, 0x4000, 0x7BFF):  # with subnormals, ordinary, with overflows
        x = rng.choice(every[(every & 0x7FFF) <= top], (1, n)).astype(np.uint16)
        signs = rng.choice([-1, 1], n).astype(np.int8)
        for shifts in (None, rng.integers(0, 4, len(law.stage_radices(n, base))).tolist()):
            got = kernel.hadamard_fp16(x, n, shifts, signs, base=base)[0].tolist()
            assert got == law.hadamard_fp16(x[0].tolist(), shifts, signs.tolist(), base)
