"""The Hadamard transform by its definition: one matrix row, one sum.

Orders: n = base · 2^k, H = P ⊗ Sylvester(2^k), the base's matrix P on the outer index, y = H · x.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from operator import mul

from fpsim.arith.checks import check_int

Row = tuple[int, ...]
Matrix = tuple[Row, ...]
BASES = (1, 12, 36, 144)
_LARGEST_KEPT = 512  # matrices up to this order are kept, larger ones made row by row


def hadamard_matrix(n: int, base: int | None = None) -> list[list[int]]:
    """The Hadamard matrix H of order n, entries ±1, H · H^T = n · I.

    H[i][j] = P[i div 2^k][j div 2^k] · (−1)^popcount((i & j) mod 2^k), n = base · 2^k, and P by `base`:

    1: P = (1). H is Sylvester's matrix, symmetric.

    12: Paley's first construction with q = 11: P = I + S, S skew-symmetric with border row 0 = (0, −1, …,
    −1), border column 0 = (0, +1, …, +1), and S[1 + i][1 + j] = χ(i − j), χ the quadratic character modulo
    q (χ(0) = 0, +1 for 1 3 4 5 9, −1 for 2 6 7 8 10). So row 0 is (+1, −1, …, −1), column 0 and the
    diagonal are +1. This is had.12 of N. J. A. Sloane's library of Hadamard matrices, as QuaRot uses it; P is
    not symmetric.

    36: Paley's second construction with q = 17: P = C ⊗ [[1, 1], [1, −1]] + I ⊗ [[1, −1], [−1, −1]], C of
    order 18 with C[0][0] = 0, the rest of its border +1, and C[1 + i][1 + j] = χ(i − j), +1 for 1 2 4 8 9
    13 15 16. P is symmetric.

    144: P = P12 ⊗ P12.

    Args:
        n: the order.
        base: None: 1 for 2^k, 12 for 12 · 2^k, 36 for 36 · 2^k, as QuaRot factors 1152 and 4608; 144 is the
            other way to take apart 9 · 2^k.

    Raises:
        ValueError: n is not base · 2^k, k from 0.
    """
    return [list(row) for row in _rows(n, check_order(n, base))]


def check_order(n: int, base: int | None) -> int:
    """The base of n, `base` itself if it is given. Raises ValueError unless n = base · 2^k."""
    check_int("n", n, 1, None)
    if base is not None and base not in BASES:
        raise ValueError(f"base={base}: expected None or one of 1, 12, 36, 144")
    found = {1: 1, 3: 12, 9: 36}.get(n // (n & -n)) if base is None else base
    if found is None or n % found or (n // found) & (n // found - 1):
        legal = "2^k, 12 * 2^k or 36 * 2^k" if base is None else f"{base} * 2^k"
        raise ValueError(f"n={n}: expected {legal}")
    return found


def hadamard(block: Sequence[int], signs: Sequence[int] | None = None, base: int | None = None) -> list[int]:
    """Negate by signs, then multiply with H (rtl/README.md, "hadamard"): exact and unnormalized.

    Args:
        block: n integers; see `hadamard_matrix` for the orders.
        signs: n times +1 or −1 (−1 negates the element), or None for none.
        base: of the matrix; see there.

    Returns:
        y[i] = Σ_j H[i][j] · signs[j] · block[j]; at most n times the block's largest magnitude.

    Raises:
        ValueError: n that has no matrix here, signs of another length or with other values.
    """
    n = len(block)
    found = check_order(n, base)
    signed = apply_signs(block, signs)
    rows = _matrix(n, found) if n <= _LARGEST_KEPT else _rows(n, found)
    return [sum(map(mul, row, signed)) for row in rows]


def apply_signs(block: Sequence[int], signs: Sequence[int] | None) -> list[int]:
    """block[i] · signs[i]. Raises ValueError for signs of another length or other than ±1."""
    if signs is None:
        return list(block)
    if len(signs) != len(block):
        raise ValueError(f"signs has {len(signs)} elements: expected {len(block)}, as many as the block")
    for i, sign in enumerate(signs):
        if sign not in (1, -1):
            raise ValueError(f"signs[{i}]={sign!r}: expected 1 or -1")
    return [s * x for s, x in zip(signs, block, strict=True)]


def _rows(n: int, base: int) -> Iterator[Row]:
    inner = n // base
    for outer_row in base_matrix(base):
        for i in range(inner):
            plus = tuple(-1 if (i & j).bit_count() % 2 else 1 for j in range(inner))
            minus = tuple(-x for x in plus)
            yield tuple(x for sign in outer_row for x in (plus if sign > 0 else minus))


@cache
def _matrix(n: int, base: int) -> Matrix:
    return tuple(_rows(n, base))


@cache
def base_matrix(base: int) -> Matrix:
    """P of a base: 1, 12, 36 or 144."""
    if base == 1:
        return ((1,),)
    if base == 144:
        twelve = base_matrix(12)
        return tuple(tuple(a * b for a in outer for b in inner) for outer in twelve for inner in twelve)
    return _paley_first(11) if base == 12 else _paley_second(17)


def _character(x: int, q: int) -> int:
    """The quadratic character modulo a prime q: 0, +1 for squares, −1 for the others."""
    if x % q == 0:
        return 0
    return 1 if any(i * i % q == x % q for i in range(1, q)) else -1


def _paley_first(q: int) -> Matrix:
    def entry(i: int, j: int) -> int:
        if i == j or j == 0:
            return 1
        return -1 if i == 0 else _character(i - j, q)

    return tuple(tuple(entry(i, j) for j in range(q + 1)) for i in range(q + 1))


def _paley_second(q: int) -> Matrix:
    def conference(i: int, j: int) -> int:
        return int(i != j) if 0 in (i, j) else _character(i - j, q)

    def entry(i: int, j: int) -> int:
        if i // 2 != j // 2:
            return conference(i // 2, j // 2) * (-1 if i % 2 and j % 2 else 1)
        return 1 if i % 2 == j % 2 == 0 else -1

    return tuple(tuple(entry(i, j) for j in range(2 * (q + 1))) for i in range(2 * (q + 1)))
