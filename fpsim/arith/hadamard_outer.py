"""The outer factor of a Hadamard transform: what is left once every beat is transformed in itself."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

from fpsim.arith.checks import check_int
from fpsim.arith.hadamard import base_matrix, hadamard_matrix

OUTER_BASES = (1, 12, 36)
LARGEST_SYLVESTER = 64


def hadamard_outer(
    beats: Sequence[Sequence[int]], base: int, points: int, stride: int = 1
) -> list[list[int]]:
    """y[i·S + s] = Σ_j P[i][j] · x[j·S + s], lane by lane (rtl/README.md, "hadamard").

    Args:
        beats: K·S beats of equally many lanes.
        base: 12 or 36: P is that matrix of `hadamard_matrix`; 1: Sylvester's of order `points`.
        points: K; 12 and 36 with these bases, else a power of two from 1 to 64.
        stride: S, at least 1.

    Returns:
        K·S beats; magnitudes grow by K at most.

    Raises:
        ValueError: an argument out of range, another number of beats, beats of different lengths.
    """
    if base not in OUTER_BASES:
        raise ValueError(f"base={base}: expected one of 1, 12, 36")
    check_int("points", points, 1, LARGEST_SYLVESTER)
    check_int("stride", stride, 1, None)
    if base > 1 and points != base:
        raise ValueError(f"points={points}: expected {base}, the base")
    matrix = hadamard_matrix(points, 1) if base == 1 else base_matrix(base)
    if len(beats) != points * stride:
        raise ValueError(f"beats has {len(beats)} elements: expected {points * stride}, points times stride")
    lanes = len(beats[0])
    for b, beat in enumerate(beats):
        if len(beat) != lanes:
            raise ValueError(f"beats[{b}] has {len(beat)} lanes: expected {lanes}, as beats[0]")
    columns = [list(zip(*beats[s::stride], strict=True)) for s in range(stride)]
    return [[sum(map(mul, row, column)) for column in columns[s]] for row in matrix for s in range(stride)]
