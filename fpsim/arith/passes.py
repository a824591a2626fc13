"""Wider integers on the 4-bit array: nibbles in passes, one register, a shift between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from fpsim.arith.decode import Operand, decode, operand_format
from fpsim.arith.integer_quantizer import integer_value
from fpsim.arith.mac import mac
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
    return [decode(high % NIBBLE, "int4"), decode(low, "int4", low=True)]


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
    overflow: str = "wrap",
) -> list[list[int]]:
    """As `fpsim.arith.mac_array.mac_array`, of operands of up to 8 bits (rtl/README.md, "passes").

    Every pass runs all K beats, one mac each; where the next pass weighs less, its first beat takes the
    register times 16, modulo 2^acc_bits.

    Args:
        a_codes: (R, K), R and K at least 1.
        b_codes: (C, K), C at least 1.
        a_fmt, b_fmt: e2m1, e3m0, e1m2, int4, int6 or int8, each its own.
        acc_bits: width of the accumulators, 2 to 63.
        overflow: "wrap", or with two 4-bit formats "saturate". Nibbles cannot saturate: clamping sums of
            partial products is not clamping sums of products.

    Returns:
        (R, C): acc[r][c] = Σ_k a[r][k] · b[c][k] modulo 2^acc_bits (signed), or clamped after every addition,
        in units of the two formats' smallest steps multiplied.

    Raises:
        ValueError: an unknown format or overflow rule, a code out of range, ragged or empty rows, acc_bits
            out of range, "saturate" with a wide format.
    """
    depth = len(a_codes[0]) if len(a_codes) else 0
    a = _operands("a_codes", a_codes, a_fmt, depth)
    b = _operands("b_codes", b_codes, b_fmt, depth)
    order = passes(a_fmt, b_fmt)
    if overflow != "wrap" and len(order) > 1:
        raise ValueError(
            f"overflow={overflow!r}: a product in {len(order)} passes has no other rule than 'wrap'"
        )
    return [[_dot(a_row, b_row, order, acc_bits, overflow) for b_row in b] for a_row in a]


def _dot(
    a: list[list[Operand]],
    b: list[list[Operand]],
    order: list[tuple[int, int]],
    acc_bits: int,
    overflow: str,
) -> int:
    acc = 0
    for number, (i, j) in enumerate(order):
        lighter = number > 0 and i + j > sum(order[number - 1])
        for k, (a_nibbles, b_nibbles) in enumerate(zip(a, b, strict=True)):
            acc = mac(
                acc,
                mul(a_nibbles[i], b_nibbles[j]),
                first=number == 0 and k == 0,
                shift=lighter and k == 0,
                acc_bits=acc_bits,
                overflow=overflow,
            )
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
