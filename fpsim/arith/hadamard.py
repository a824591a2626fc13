"""The Hadamard transform by its definition: one matrix row, one sum.

Orders: n = 2^k (Sylvester) and n = 12 · 2^k (Paley's order 12, outer, Kronecker Sylvester's order 2^k).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from fpsim.arith.checks import check_int

# Paley's first construction needs a prime q with q mod 4 = 3 and gives the order q + 1.
_PALEY_Q = 11
_PALEY_ORDER = _PALEY_Q + 1


def hadamard_matrix(n: int) -> list[list[int]]:
    """The Hadamard matrix H of order n, entries ±1, H · H^T = n · I.

    n = 2^k: H[i][j] = (−1)^popcount(i & j); symmetric.

    n = 12 · 2^k: H[i][j] = P[i div 2^k][j div 2^k] · (−1)^popcount((i & j) mod 2^k), P of order 12 by
    Paley's first construction with q = 11: P = I + S, S skew-symmetric with border row 0 = (0, −1, …, −1),
    border column 0 = (0, +1, …, +1), and S[1 + i][1 + j] = χ(i − j), χ the quadratic character modulo 11
    (χ(0) = 0, +1 for 1 3 4 5 9, −1 for 2 6 7 8 10). So row 0 is (+1, −1, …, −1), column 0 and the diagonal
    are +1. This is had.12 of N. J. A. Sloane's library of Hadamard matrices, as QuaRot uses it; P is not
    symmetric.

    Raises:
        ValueError: n is neither 2^k nor 12 · 2^k, k from 0.
    """
    return [list(row) for row in _matrix(n)]


def hadamard(block: Sequence[int], signs: Sequence[int] | None = None) -> list[int]:
    """Negate by signs, then multiply with H (rtl/README.md, "hadamard"): exact and unnormalized.

    Args:
        block: n integers, n = 2^k or 12 · 2^k; see `hadamard_matrix`.
        signs: n times +1 or −1 (−1 negates the element), or None for none.

    Returns:
        y[i] = Σ_j H[i][j] · signs[j] · block[j]; at most n times the block's largest magnitude.

    Raises:
        ValueError: n that has no matrix here, signs of another length or with other values.
    """
    n = len(block)
    matrix = _matrix(n)
    if signs is None:
        signs = [1] * n
    if len(signs) != n:
        raise ValueError(f"signs has {len(signs)} elements: expected {n}, as many as the block")
    for i, sign in enumerate(signs):
        if sign not in (1, -1):
            raise ValueError(f"signs[{i}]={sign!r}: expected 1 or -1")
    signed = [s * x for s, x in zip(signs, block, strict=True)]
    return [sum(h * x for h, x in zip(row, signed, strict=True)) for row in matrix]


@cache
def _matrix(n: int) -> tuple[tuple[int, ...], ...]:
    check_int("n", n, 1, None)
    odd = n // (n & -n)
    if odd not in (1, 3) or (odd == 3 and n % _PALEY_ORDER):
        raise ValueError(f"n={n}: expected 2^k or 12 * 2^k")
    outer = _paley() if odd == 3 else ((1,),)
    inner = n // len(outer)
    return tuple(
        tuple(outer[i // inner][j // inner] * _sylvester(i % inner, j % inner) for j in range(n))
        for i in range(n)
    )


def _sylvester(i: int, j: int) -> int:
    return -1 if (i & j).bit_count() % 2 else 1


def _paley() -> tuple[tuple[int, ...], ...]:
    squares = {x * x % _PALEY_Q for x in range(1, _PALEY_Q)}

    def entry(i: int, j: int) -> int:
        if i == j or j == 0:
            return 1
        if i == 0:
            return -1
        return 1 if (i - j) % _PALEY_Q in squares else -1

    return tuple(tuple(entry(i, j) for j in range(_PALEY_ORDER)) for i in range(_PALEY_ORDER))
