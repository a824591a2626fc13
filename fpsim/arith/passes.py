"""Wider integers on the 4-bit array: nibbles in passes, one register, a shift between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from fpsim.arith.decode import Operand, decode, operand_format
from fpsim.arith.integer_quantizer import integer_value
from fpsim.arith.mac import mac, wrap
from fpsim.arith.mul import mul
from fpsim.formats import Format, get

NIBBLE = 16


def nibbles(code: int, fmt: str | Format) -> list[Operand]:
    """What the multiplier takes of a code, highest nibble first (rtl/README.md, "passes").

    Args:
        code: of the format.
        fmt: a 4-bit operand format, int6 or int8.

    Returns:
        One operand for a 4-bit format. Two for int6 and int8, with value = 16 · high + low: the high nibble
        is signed (-8 to 7; int6: -2 to 1), the low one unsigned (0 to 15).

    Raises:
        ValueError: another format, or a code that it does not have.
    """
    form = get(fmt)
    if form.bits == 4:
        return [decode(code, form)]
    high, low = divmod(integer_value(code, form), NIBBLE)
    return [decode(high % NIBBLE, "int4"), Operand(False, low, 0)]


def passes(a_fmt: str | Format, b_fmt: str | Format) -> list[tuple[int, int]]:
    """The passes of a product in their order: which nibble of a meets which of b, 0 being the highest.

    Passes of more weight come first, so that the register only ever shifts left.
    """
    return sorted(product(range(_nibble_count(a_fmt)), range(_nibble_count(b_fmt))), key=sum)


def passes_array(
    a_codes: Sequence[Sequence[int]],
    b_codes: Sequence[Sequence[int]],
    a_fmt: str | Format,
    b_fmt: str | Format,
    acc_bits: int,
) -> list[list[int]]:
    """As `fpsim.arith.mac_array.mac_array`, of operands of up to 8 bits (rtl/README.md, "passes").

    Every pass runs all K beats, one mac each; where the next pass weighs less, its first beat takes the
    register times 16, modulo 2^acc_bits.

    Args:
        a_codes: (R, K), R and K at least 1.
        b_codes: (C, K), C at least 1.
        a_fmt, b_fmt: e2m1, e3m0, e1m2, int4, int6 or int8, each its own.
        acc_bits: width of the accumulators, 2 to 63.

    Returns:
        (R, C): acc[r][c] = Σ_k a[r][k] · b[c][k] modulo 2^acc_bits (signed), in units of the two
        formats' smallest steps multiplied.

    Raises:
        ValueError: an unknown format, a code out of range, ragged or empty rows, acc_bits out of range.
    """
    depth = len(a_codes[0]) if len(a_codes) else 0
    a = _operands("a_codes", a_codes, a_fmt, depth)
    b = _operands("b_codes", b_codes, b_fmt, depth)
    order = passes(a_fmt, b_fmt)
    return [[_dot(a_row, b_row, order, acc_bits) for b_row in b] for a_row in a]


def _dot(a: list[list[Operand]], b: list[list[Operand]], order: list[tuple[int, int]], acc_bits: int) -> int:
    acc = 0
    for number, (i, j) in enumerate(order):
        if number and i + j > sum(order[number - 1]):
            acc = wrap(acc * NIBBLE, acc_bits)
        for k, (a_nibbles, b_nibbles) in enumerate(zip(a, b, strict=True)):
            first = number == 0 and k == 0
            acc = mac(acc, mul(a_nibbles[i], b_nibbles[j]), first=first, acc_bits=acc_bits)
    return acc


def _nibble_count(fmt: str | Format) -> int:
    form = get(fmt)
    if form.name in ("int6", "int8"):
        return 2
    operand_format("fmt", form)
    return 1


def _operands(
    name: str, codes: Sequence[Sequence[int]], fmt: str | Format, depth: int
) -> list[list[list[Operand]]]:
    if not len(codes):
        raise ValueError(f"{name}=[]: expected at least one row")
    for r, row in enumerate(codes):
        if len(row) != depth or depth == 0:
            raise ValueError(f"{name}[{r}] has {len(row)} codes: expected K = {max(depth, 1)} in every row")
    return [[nibbles(code, fmt) for code in row] for row in codes]
