"""One block of the NVFP4 dot product unit: 16 products under two UE4M3 scales onto an FP32 sum."""

from __future__ import annotations

from collections.abc import Sequence

from fpsim.arith.dot_mx import DotSum, dot_step

LANES = 16


def dot_nvfp4(
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
        a_codes, b_codes: 16 E2M1 codes each; a shorter block is padded with code 0.
        a_scale, b_scale: UE4M3 codes. Under a NaN (127) the block adds 0 and the sum becomes special.
        first: the first block of a sum: the sum before counts as +0 and not special.

    Returns:
        The sum after, as `dot_mx` rounds it. The tensor scales are not in it; the epilogue has them.

    Raises:
        ValueError: another number of codes, or a code out of range.
    """
    return dot_step(before, a_codes, b_codes, (a_scale, b_scale), first=first, lanes=LANES, scale_fmt="ue4m3")
