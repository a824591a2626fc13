"""The matrix product as the array computes it: one mac per k, k in order."""

from __future__ import annotations

from collections.abc import Sequence

from fpsim.arith.checks import MAX_ACC_BITS, MIN_ACC_BITS, check_int
from fpsim.arith.decode import Operand, decode, operand_format
from fpsim.arith.mac import mac
from fpsim.arith.mul import mul
from fpsim.formats import Format


def mac_array(
    a_codes: Sequence[Sequence[int]],
    b_codes: Sequence[Sequence[int]],
    a_fmt: str | Format,
    b_fmt: str | Format,
    acc_bits: int,
    overflow: str = "wrap",
) -> list[list[int]]:
    """Multiply R rows of K activation codes with C rows of K weight codes (rtl/README.md, "mac_array").

    Args:
        a_codes: (R, K), R and K at least 1.
        b_codes: (C, K), C at least 1.
        a_fmt, b_fmt: e2m1, e3m0, e1m2 or int4, each its own.
        acc_bits: width of the accumulators, 2 to 63.
        overflow: "wrap", or "saturate" after every addition, k in order.

    Returns:
        (R, C): acc[r][c] = Σ_k a[r][k] · b[c][k] modulo 2^acc_bits (signed), or clamped on the way, in units
        of the two formats' smallest steps multiplied.

    Raises:
        ValueError: an unknown format or overflow rule, a code out of range, ragged or empty rows, acc_bits
            out of range.
    """
    check_int("acc_bits", acc_bits, MIN_ACC_BITS, MAX_ACC_BITS)
    depth = len(a_codes[0]) if len(a_codes) else 0
    a = _operands("a_codes", a_codes, operand_format("a_fmt", a_fmt), depth)
    b = _operands("b_codes", b_codes, operand_format("b_fmt", b_fmt), depth)
    return [[_dot(a_row, b_row, acc_bits, overflow) for b_row in b] for a_row in a]


def _dot(a: list[Operand], b: list[Operand], acc_bits: int, overflow: str) -> int:
    acc = 0
    for k, (a_operand, b_operand) in enumerate(zip(a, b, strict=True)):
        product = mul(a_operand, b_operand)
        acc = mac(acc, product, first=k == 0, acc_bits=acc_bits, overflow=overflow)
    return acc


def _operands(name: str, codes: Sequence[Sequence[int]], fmt: Format, depth: int) -> list[list[Operand]]:
    if not len(codes):
        raise ValueError(f"{name}=[]: expected at least one row")
    for r, row in enumerate(codes):
        if len(row) != depth or depth == 0:
            raise ValueError(f"{name}[{r}] has {len(row)} codes: expected K = {max(depth, 1)} in every row")
    return [[decode(code, fmt) for code in row] for row in codes]
