"""One output of a matrix product, under any accumulator that rounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

from fpsim.arith.aligned import Factors, aligned_inside, aligned_outside
from fpsim.arith.exact_plus_c import exact_plus_c
from fpsim.arith.number import QUIET_NAN, Number, RandomBits, float32_bits, from_code, round_to
from fpsim.arith.sequential import sequential
from fpsim.arith.tree import tree
from fpsim.formats import Accumulator, Format, get

_FP32 = get("fp32")
TENSOR_CORE_NAN = 0x7FFFFFFF


def dot_product(
    a_codes: Sequence[int],
    b_codes: Sequence[int],
    a_fmt: str | Format,
    b_fmt: str | Format,
    acc: Accumulator,
    *,
    a_scales: Sequence[int] = (),
    b_scales: Sequence[int] = (),
    c_bits: int = 0,
    random_bits: tuple[Sequence[int], int] | None = None,
) -> int:
    """Σ a[k] · b[k], times the blocks' scales, plus C, added as acc says.

    Args:
        a_codes, b_codes: K codes each.
        a_fmt, b_fmt: any formats; of scale 1, where acc is aligned.
        acc: any kind but "exact".
        a_scales, b_scales: ceil(K / acc.block) codes of acc.scale; empty without scales.
        c_bits: float32 bits of C, first rounded to acc.fmt by acc.rounding; a number of acc.fmt where that is
            "stochastic".
        random_bits: for "stochastic": (acc.roundings(K) values in their order, number of bits of each).

    Returns:
        float32 bits. NaN is 0x7FC00000; from the aligned kind with C inside 0x7FFFFFFF, as tensor cores have.

    Raises:
        ValueError: a scaled format where acc is aligned; NaN or infinity among the operands, where acc.fmt is
            not an IEEE format; random bits that are missing, needless or of another number; a C that would
            have to be rounded stochastically.
    """
    assert acc.fmt is not None
    forms = get(a_fmt), get(b_fmt)
    if acc.kind == "aligned" and any(form.scale != 1 for form in forms):
        raise ValueError(f"a_fmt={a_fmt!r}, b_fmt={b_fmt!r}: expected scale 1 under an aligned accumulator")
    factors = [
        Factors(
            from_code(a, forms[0]),
            from_code(b, forms[1]),
            from_code(a_scales[k // acc.block], acc.scale) if acc.scale else None,
            from_code(b_scales[k // acc.block], acc.scale) if acc.scale else None,
        )
        for k, (a, b) in enumerate(zip(a_codes, b_codes, strict=True))
    ]
    total = _add_all(_start(c_bits, acc), factors, forms, acc, _draws(random_bits, len(factors), acc))
    inside = acc.kind == "aligned" and acc.c_inside
    return float32_bits(total, TENSOR_CORE_NAN if inside else QUIET_NAN)


def _start(c_bits: int, acc: Accumulator) -> Number:
    """C in the accumulator's format."""
    assert acc.fmt is not None
    c = from_code(c_bits, _FP32)
    if acc.rounding != "stochastic":
        return round_to(c, acc.fmt, acc.rounding, acc.overflow)
    start = round_to(c, acc.fmt, "rne", acc.overflow)
    if start != c:
        raise ValueError(f"c_bits={c_bits:#x}: expected a number of {acc.fmt.name}, rounded beforehand")
    return start


def _draws(
    random_bits: tuple[Sequence[int], int] | None, depth: int, acc: Accumulator
) -> Iterator[RandomBits]:
    """The random bits of one rounding after the other."""
    if (acc.rounding == "stochastic") != (random_bits is not None):
        raise ValueError(
            f"random_bits={random_bits!r} with rounding={acc.rounding!r}: "
            "expected (values, nbits) for 'stochastic' and None for the others"
        )
    if random_bits is None:
        return repeat(None)
    values, nbits = random_bits
    if len(values) != acc.roundings(depth):
        raise ValueError(f"random_bits of {len(values)} values: expected {acc.roundings(depth)}")
    return iter([(value, nbits) for value in values])


def _add_all(
    total: Number,
    factors: list[Factors],
    forms: tuple[Format, Format],
    acc: Accumulator,
    random_bits: Iterator[RandomBits],
) -> Number:
    if acc.kind == "aligned":
        for start in range(0, len(factors), acc.step):
            step = factors[start : start + acc.step]
            if acc.c_inside:
                total = aligned_inside(total, step, *forms, acc)
            else:
                total = aligned_outside(total, step, acc)
        return total
    products = [f.product for f in factors]
    add_products = {"sequential": sequential, "tree": tree, "exact-plus-c": exact_plus_c}[acc.kind]
    return add_products(total, products, acc, random_bits)
