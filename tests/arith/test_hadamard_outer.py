"""Beats transformed in themselves, then over each other: the one big matrix, by its definition."""

from __future__ import annotations

import random

import pytest

from fpsim.arith.hadamard import hadamard, hadamard_matrix
from fpsim.arith.hadamard_outer import hadamard_outer

# n, base of the big matrix, lanes, and the outer steps (base, points, stride) after the lanes' own transform.
SPLITS = [
    (1152, 36, 32, [(36, 36, 1)]),
    (1152, 144, 8, [(12, 12, 1), (12, 12, 12)]),
    (384, 12, 32, [(12, 12, 1)]),
    (768, 12, 32, [(1, 2, 1), (12, 12, 2)]),
    (4608, 36, 32, [(1, 4, 1), (36, 36, 4)]),
    (2304, 144, 16, [(12, 12, 1), (12, 12, 12)]),
    (256, 1, 4, [(1, 64, 1)]),
    (256, 1, 4, [(1, 8, 1), (1, 8, 8)]),
    (24, 12, 2, [(12, 12, 1)]),
]


@pytest.mark.parametrize(("n", "base", "lanes", "steps"), SPLITS)
def test_the_steps_make_the_big_transform(
    n: int, base: int, lanes: int, steps: list[tuple[int, int, int]]
) -> None:
    rng = random.Random(n)
    block = [rng.randint(-1000, 1000) for _ in range(n)]
    beats = [hadamard(block[at : at + lanes]) for at in range(0, n, lanes)]
    for outer, points, stride in steps:
        size = points * stride
        beats = [
            beat
            for at in range(0, len(beats), size)
            for beat in hadamard_outer(beats[at : at + size], outer, points, stride)
        ]
    assert [x for beat in beats for x in beat] == hadamard(block, base=base)


def test_one_lane_without_stride_is_the_matrix_itself() -> None:
    for base, points in ((1, 16), (12, 12), (36, 36)):
        columns = [
            hadamard_outer([[int(i == j)] for i in range(points)], base, points) for j in range(points)
        ]
        matrix = hadamard_matrix(points, base)
        assert [[columns[j][i][0] for j in range(points)] for i in range(points)] == matrix
        products = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in matrix] for x in matrix]
        assert products == [[points * (i == j) for j in range(points)] for i in range(points)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1]], 3, 1, 1), "base=3: expected one of 1, 12, 36"),
        (([[1]], 12, 11, 1), "points=11: expected 12, the base"),
        (([[1]], 1, 128, 1), "points=128: expected an integer from 1 to 64"),
        (([[1]], 1, 1, 0), "stride=0: expected an integer at least 1"),
        (([[1]] * 3, 1, 2, 2), "beats has 3 elements: expected 4"),
        (([[1], [1, 2]], 1, 2, 1), r"beats\[1\] has 2 lanes: expected 1"),
        (([[1]] * 3, 1, 3, 1), "n=3: expected 1"),
    ],
)
def test_bad_arguments_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hadamard_outer(*arguments)  # type: ignore[arg-type]
