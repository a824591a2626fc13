"""Accumulators of real machines by name, as data.

Tensor cores: the widths, step lengths and exponents of zero that the PyPI package mmasim 2.1.1 has for its
`mma`, `wgmma` and `tcgen05.mma` (Xie et al.; measured on the silicon). A step counts elements, so a preset
is named after the operands that it was measured with: f16 (FP16, BF16), tf32, f8 (E4M3, E5M2), f8f6f4
(those and E3M2, E2M3, E2M1). `-acc16` accumulates in FP16, the others in FP32. MXDOTP: pulp-platform's
units, eight products per instruction (arXiv 2505.13159): the exact sum with overflow clamped, and the
anchored fixed point of 34 fractional and 32 integer bits, whose overflow is IEEE's.
"""

from __future__ import annotations

from fpsim.formats.accumulator import Accumulator
from fpsim.formats.spec import Format

E8M13 = Format("e8m13", 8, 13, bias=127, specials="ieee", source="mmasim: FP8 on Ada and Hopper")

# name: fraction bits and products per step.
_WIDTHS = {
    "volta-f16": (23, 4),
    "turing-f16": (24, 8),
    "ampere-f16": (24, 8),
    "ampere-tf32": (24, 4),
    "ada-f16": (24, 8),
    "ada-tf32": (24, 4),
    "hopper-f16": (25, 16),
    "hopper-tf32": (25, 8),
    "blackwell-f16": (25, 16),
    "blackwell-tf32": (25, 8),
    "blackwell-f8f6f4": (25, 32),
    "rtx-blackwell-f16": (25, 16),
    "rtx-blackwell-tf32": (25, 8),
    "rtx-blackwell-f8f6f4": (25, 32),
}
# FP8: the window and the FP32 result keep 13 fractional bits. Name: exponent width of zero as f16's, step.
_NARROW = {"ada-f8": ("ada-f16", 16), "hopper-f8": ("hopper-f16", 32)}
# A zero term lies so far below FP32's (FP16's) smallest normal exponent: fraction bits less 18, rounded as
# mmasim has it for each generation.
_ZERO_BELOW = {23: 5, 24: 6, 25: 7}
_FP32_MIN_EXPONENT, _FP16_MIN_EXPONENT = -126, -14


def _unscaled() -> dict[str, Accumulator]:
    found: dict[str, Accumulator] = {}
    entries = [(name, width, width, step) for name, (width, step) in _WIDTHS.items()]
    entries += [(name, 13, _WIDTHS[zeros_of][0], step) for name, (zeros_of, step) in _NARROW.items()]
    for name, width, zeros, step in entries:
        below = _ZERO_BELOW[zeros]
        found[name] = Accumulator.aligned(
            fraction_bits=width,
            step=step,
            zero_exponent=_FP32_MIN_EXPONENT - below,
            fmt=E8M13 if width == 13 else "fp32",
        )
        if not name.endswith("tf32"):
            found[f"{name}-acc16"] = Accumulator.aligned(
                fraction_bits=width,
                step=step,
                zero_exponent=_FP16_MIN_EXPONENT - below,
                fmt="fp16",
                rounding="rne",
            )
    return found


def _block_scaled(scale: str, block: int) -> Accumulator:
    return Accumulator.aligned(
        fraction_bits=35, step=64, group=16, zero_exponent=-139, scale=scale, block=block
    )


PRESETS: dict[str, Accumulator] = {
    "rtx-blackwell-nvfp4": _block_scaled("ue4m3", 16),
    "rtx-blackwell-mxfp4": _block_scaled("e8m0", 32),
    "rtx-blackwell-mxfp4-b16": _block_scaled("e8m0", 16),
    "rtx-blackwell-mxf8f6f4": Accumulator.aligned(
        fraction_bits=25, step=32, zero_exponent=-133, scale="e8m0", block=32
    ),
    **_unscaled(),
    "mxdotp-exact": Accumulator.exact_plus_c("fp32", step=8, scale="e8m0", block=32),
    "mxdotp-anchored": Accumulator.aligned(
        fraction_bits=34, integer_bits=32, c_inside=False, step=8, rounding="rne", overflow="ieee",
        scale="e8m0", block=32,
    ),
}  # fmt: skip


def get_accumulator(acc: Accumulator | str) -> Accumulator:
    """The preset of that name; an Accumulator is returned as it is.

    Raises:
        ValueError: anything else; the message lists the presets.
    """
    if isinstance(acc, Accumulator):
        return acc
    if isinstance(acc, str) and acc in PRESETS:
        return PRESETS[acc]
    names = ", ".join(PRESETS)
    raise ValueError(
        f"acc={acc!r}: expected an Accumulator, such as Accumulator.exact(bits=32), or one of {names}"
    )
