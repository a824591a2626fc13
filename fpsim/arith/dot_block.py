"""Dot products of blocks under 8-bit scales: dot_mx and dot_nvfp4 (rtl/README.md)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from fpsim.arith.cast import encode
from fpsim.arith.checks import check_int
from fpsim.formats import Format, get

FP32 = get("fp32")


def dot_block(
    a_codes: Sequence[int],
    b_codes: Sequence[int],
    a_scales: Sequence[int],
    b_scales: Sequence[int],
    *,
    a_fmt: str | Format,
    b_fmt: str | Format,
    scale_fmt: str | Format,
    block: int,
) -> int:
    """Block by block: the exact sum of products times both scales, added to an FP32 sum with one rounding.

    Args:
        a_codes, b_codes: K element codes each, finite.
        a_scales, b_scales: ceil(K / block) codes of scale_fmt each, finite; a last block may be shorter.
        a_fmt, b_fmt: element formats.
        scale_fmt: e8m0 (dot_mx) or ue4m3 (dot_nvfp4).
        block: elements under one scale, at least 1.

    Returns:
        FP32 bits of the sum after the last block: nearest, ties to even, subnormals kept, beyond the largest
        finite value that value. From +0; an exact sum of 0 is +0.

    Raises:
        ValueError: a NaN or an infinity, or lengths that do not fit.
    """
    check_int("block", block, 1, None)
    blocks = -(-len(a_codes) // block)
    if len(b_codes) != len(a_codes) or len(a_scales) != blocks or len(b_scales) != blocks:
        raise ValueError(
            f"lengths {len(a_codes)}, {len(b_codes)}, {len(a_scales)}, {len(b_scales)}: "
            f"expected K, K and twice ceil(K / {block})"
        )
    bits = 0
    for i in range(blocks):
        inside = slice(i * block, (i + 1) * block)
        bits = add_block(
            bits,
            a_codes[inside],
            b_codes[inside],
            (a_scales[i], b_scales[i]),
            a_fmt=a_fmt,
            b_fmt=b_fmt,
            scale_fmt=scale_fmt,
        )
    return bits


def add_block(
    bits: int,
    a_codes: Sequence[int],
    b_codes: Sequence[int],
    scales: tuple[int, int],
    *,
    a_fmt: str | Format,
    b_fmt: str | Format,
    scale_fmt: str | Format,
) -> int:
    """One block: its exact sum times both scales onto an FP32 sum, one rounding.

    Args:
        bits: FP32 bits of the sum before, finite.
        a_codes, b_codes: element codes, equally many.
        scales: of a and of b.
        a_fmt, b_fmt, scale_fmt: as `dot_block` has them.

    Returns:
        FP32 bits of the sum after, as `dot_block` rounds it.

    Raises:
        ValueError: a NaN or an infinity.
    """
    pairs = zip(a_codes, b_codes, strict=True)
    products = sum((_finite(a, a_fmt) * _finite(b, b_fmt) for a, b in pairs), Fraction(0))
    # What rounds to 0 keeps its sign: −0 may be the result, and any number that follows replaces it.
    exact = _finite(bits, FP32) + products * _finite(scales[0], scale_fmt) * _finite(scales[1], scale_fmt)
    return encode(exact, FP32)


@lru_cache(1 << 12)
def _finite(code: int, fmt: str | Format) -> Fraction:
    value = get(fmt).value(code)
    if isinstance(value, str):
        raise ValueError(f"code 0x{code:02x} of {get(fmt).name} is {value}: expected a finite number")
    return value
