"""Rounded Hadamard stages by hand, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fpsim.arith.butterfly import hadamard_fixed, hadamard_fp16, stage_radices
from fpsim.arith.hadamard import hadamard


def bits(*values: float) -> list[int]:
    return np.array(values, np.float16).view(np.uint16).tolist()


@pytest.mark.parametrize(("n", "base"), [(1, None), (16, None), (24, None), (72, None), (144, 144)])
def test_without_shifts_it_is_the_exact_transform(n: int, base: int | None) -> None:
    x = np.random.default_rng(n).integers(-7, 8, n).tolist()
    shifts = [0] * len(stage_radices(n, base))
    assert hadamard_fixed(x, shifts, base=base) == hadamard(x, base=base)
    codes = hadamard_fp16(bits(*x), base=base)
    assert np.array(codes, np.uint16).view(np.float16).tolist() == hadamard(x, base=base)


def test_fixed_point_by_hand() -> None:
    # Stage 1 of (3, 0, 2, 1): 3 3 | 3 1; halved, ties to even: 2 2 | 2 0; stage 2: 4 2 0 2.
    assert hadamard_fixed([3, 0, 2, 1], [1, 0]) == [4, 2, 0, 2]
    assert hadamard_fixed([3, 0, 2, 1], [1, 0], rounding="rdn") == [2, 1, 0, 1]
    assert hadamard_fixed([3, 0, 2, 1], [1, 0], bits=3) == [3, 2, 0, 2]
    assert hadamard_fixed([-4, 0], [0], bits=3, signs=[-1, 1]) == [3, 3]


def test_fp16_by_hand() -> None:
    # 2048 + 1 is a tie and goes to 2048, 2048 - 1 is exact; 65504 + 65504 saturates.
    assert hadamard_fp16(bits(2048, 1)) == bits(2048, 2047)
    assert hadamard_fp16(bits(2048, 3)) == bits(2052, 2045)
    assert hadamard_fp16(bits(65504, 65504)) == bits(65504, 0)
    assert hadamard_fp16(bits(-1, 1)) == bits(0, -2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hadamard_fixed([1, 2], []), "shifts has 0 elements: expected 1, one per stage"),
        (lambda: hadamard_fixed([1, 2], [-1]), r"shifts\[0\]=-1: expected an integer from 0 to 16"),
        (lambda: hadamard_fixed([1, 4], [0], bits=3), r"block\[1\]=4: expected an integer from -4 to 3"),
        (lambda: hadamard_fixed([1, 2], [0], rounding="up"), "rounding='up': expected one of rne, rna, rdn"),  # type: ignore[arg-type]
        (lambda: hadamard_fixed([1] * 5, []), "n=5: expected"),
        (lambda: hadamard_fp16([0x7C00, 0]), r"block\[0\]=0x7c00: expected a finite FP16 number"),
        (lambda: hadamard_fp16([0, 1 << 16]), r"block\[1\]=65536: expected an integer from 0 to 65535"),
    ],
)
def test_what_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
