"""One block of the MX dot product unit: 32 products under two E8M0 scales onto an FP32 sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fpsim.arith.dot_block import add_block
from fpsim.formats import NAN, get

LANES = 32


class DotSum(NamedTuple):
    """A running sum of blocks.

    Attributes:
        acc: FP32 bits.
        special: whether a block of the sum had a NaN scale.
    """

    acc: int = 0
    special: bool = False


def dot_mx(
    before: DotSum,
    a_codes: Sequence[int],
    b_codes: Sequence[int],
    a_scale: int,
    b_scale: int,
    *,
    first: bool,
) -> DotSum:
    """Add one block (rtl/README.md, "dot_mx, dot_nvfp4").

    Args:
        before: the sum before.
        a_codes, b_codes: 32 E2M1 codes each; a shorter block is padded with code 0.
        a_scale, b_scale: E8M0 codes. Under a NaN (255) the block adds 0 and the sum becomes special.
        first: the first block of a sum: the sum before counts as +0 and not special.

    Returns:
        The sum after: FP32(before + the exact sum of products · both scales), nearest, ties to even,
        subnormals kept, saturated; an exact 0 is +0.

    Raises:
        ValueError: another number of codes, or a code out of range.
    """
    return dot_step(before, a_codes, b_codes, (a_scale, b_scale), first=first, lanes=LANES, scale_fmt="e8m0")


def dot_step(
    before: DotSum,
    a_codes: Sequence[int],
    b_codes: Sequence[int],
    scales: tuple[int, int],
    *,
    first: bool,
    lanes: int,
    scale_fmt: str,
) -> DotSum:
    """What `dot_mx` and `dot_nvfp4` do, for any number of lanes and scale format."""
    for name, codes in (("a_codes", a_codes), ("b_codes", b_codes)):
        if len(codes) != lanes:
            raise ValueError(f"{name}: {len(codes)} codes: expected {lanes}, a shorter block padded with 0")
    start = DotSum() if first else before
    special = any(get(scale_fmt).value(scale) == NAN for scale in scales)
    if special:
        a_codes, scales = [0] * lanes, (0, 0)
    acc = add_block(start.acc, a_codes, b_codes, scales, a_fmt="e2m1", b_fmt="e2m1", scale_fmt=scale_fmt)
    return DotSum(acc, start.special or special)
