"""Transitions by the law, cycle by cycle, and by the kernels, on the same layers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fpsim.arith import toggles as law
from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.cycles import drain_cycles
from fpsim.kernels import toggles as kernel

OPERANDS = ("e2m1", "e3m0", "e1m2", "int4")


def tiles_of(a: np.ndarray, b: np.ndarray, rows: int, cols: int) -> list[tuple[list, list]]:
    """Tiles in the order of the machine, with code 0 beyond the layer's edge."""
    sides = []
    for codes, lanes in ((a, rows), (b, cols)):
        padded = np.zeros((-(-len(codes) // lanes) * lanes, codes.shape[1]), int)
        padded[: len(codes)] = codes
        sides.append([padded[at : at + lanes].tolist() for at in range(0, len(padded), lanes)])
    return list(itertools.product(*sides))


@pytest.mark.parametrize(("a_fmt", "b_fmt"), list(itertools.product(OPERANDS, repeat=2)))
@pytest.mark.parametrize(
    ("rows", "cols", "m", "n", "k", "overlap", "acc_bits"),
    [
        (2, 3, 5, 7, 9, True, 26),  # ragged
        (3, 2, 3, 2, 4, True, 26),  # one tile
        (3, 2, 9, 6, 2, True, 20),  # tiles wait for the drain
        (2, 2, 4, 4, 1, True, 12),
        (1, 1, 1, 1, 1, True, 12),
        (2, 3, 5, 5, 6, False, 9),  # sums wrap
    ],
)
def test_the_array(
    a_fmt: str, b_fmt: str, rows: int, cols: int, m: int, n: int, k: int, overlap: bool, acc_bits: int
) -> None:
    rng = np.random.default_rng([7, OPERANDS.index(a_fmt), OPERANDS.index(b_fmt), rows, k])
    a, b = rng.integers(0, 16, (m, k), np.uint8), rng.integers(0, 16, (n, k), np.uint8)
    for cut in (False, True):
        config = ArrayConfig(rows, cols, UnitConfig(overlap=overlap, product_cut=cut))
        by_law = law.array_toggles(
            tiles_of(a, b, rows, cols), a_fmt, b_fmt, acc_bits=acc_bits, overlap=overlap, product_cut=cut
        )
        found = kernel.array_toggles(
            a, b, a_fmt, b_fmt, rows=rows, cols=cols, acc_bits=acc_bits, drain=drain_cycles(config),
            overlap=overlap,
        )  # fmt: skip
        assert found.toggles == by_law
    tiles = -(-m // rows) * -(-n // cols)
    assert found.a_steps.sum() >= cols * rows * (tiles * k + 1)  # every beat, and the zeros behind the last


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize("transform", [True, False])
def test_the_hadamard_engine(cut: int, transform: bool) -> None:
    rng = np.random.default_rng(cut)
    beats = rng.integers(-32767, 32768, (9, 8)).astype(np.int32)
    signs = rng.choice([-1, 1], (9, 8))
    by_law = law.hadamard_toggles(beats.tolist(), signs.tolist() if transform else None, 16, cut)
    negated = (beats * signs if transform else beats).astype(np.int32)
    assert kernel.hadamard_toggles(negated, 16, transform=transform, cut=cut) == by_law > 0


def test_words() -> None:
    rng = np.random.default_rng(3)
    words = rng.integers(0, 1 << 16, (20, 5), np.uint16)
    joined = [sum(int(v) << 16 * i for i, v in enumerate(row)) for row in words]
    assert kernel.word_toggles(words) == law.word_toggles(joined, 80) > 0
    assert law.word_toggles([0, -1, 0], 7) == 14


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a_codes": np.full((2, 3), 16, np.uint8)}, "a_codes"),
        ({"a_codes": np.zeros((2, 4), np.uint8)}, "expected .M, K. and .N, K."),
        ({"a_fmt": "int8"}, "a_fmt='int8': expected one of e2m1"),
        ({"acc_bits": 8}, "acc_bits=8: expected an integer from 9 to 40"),
    ],
)
def test_refusals(change: dict, message: str) -> None:
    codes = np.zeros((2, 3), np.uint8)
    given = {"a_codes": codes, "b_codes": codes, "a_fmt": "e2m1", "b_fmt": "e2m1"}
    with pytest.raises(ValueError, match=message):
        kernel.array_toggles(**{**given, **{"rows": 2, "cols": 2, "acc_bits": 26, "drain": 5}, **change})
    with pytest.raises(ValueError, match="words: expected an array of integers"):
        kernel.word_toggles(np.zeros(3))
    with pytest.raises(ValueError, match="expected a power of two of lanes"):
        kernel.hadamard_toggles(np.zeros((2, 3), np.int32), 16)
