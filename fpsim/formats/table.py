"""The named formats, as data. Nobody else writes their bits."""

from __future__ import annotations

from fpsim.formats.spec import Format

_OCP_MX = "OCP Microscaling Formats v1.0, section 5.3"
_OCP_FP8 = "OCP 8-bit Floating Point v1.0"
_HQDIT = "HQ-DiT (arXiv 2405.19751); LLM-FP4 (arXiv 2310.16836)"
_IEEE = "IEEE 754-2019, section 3.6"

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("e2m1", 2, 1, bias=1, source=_OCP_MX),
        Format("e3m0", 3, 0, bias=1, source=_HQDIT),
        Format("e1m2", 1, 2, bias=-1, source=_HQDIT),
        Format("e2m3", 2, 3, bias=1, source=_OCP_MX),
        Format("e3m2", 3, 2, bias=3, source=_OCP_MX),
        Format("e4m3", 4, 3, bias=7, specials="nan", source=_OCP_FP8),
        Format("e5m2", 5, 2, bias=15, specials="ieee", source=_OCP_FP8),
        Format("ue4m3", 4, 3, bias=7, signed=False, specials="nan", source="NVFP4 block scale"),
        Format("e8m0", 8, 0, bias=127, signed=False, kind="exponent", specials="nan", source=_OCP_MX),
        Format("bf16", 8, 7, bias=127, specials="ieee", source="bfloat16"),
        Format("fp16", 5, 10, bias=15, specials="ieee", source=_IEEE),
        Format("tf32", 8, 10, bias=127, specials="ieee", source="NVIDIA A100 whitepaper, TensorFloat-32"),
        Format("fp32", 8, 23, bias=127, specials="ieee", source=_IEEE),
        Format("int4", 0, 3, kind="int", source="two's complement"),
        Format("int6", 0, 5, kind="int", source="two's complement"),
        Format("int8", 0, 7, kind="int", source="two's complement"),
        Format("uint4", 0, 4, signed=False, kind="int", source="unsigned"),
        Format("uint8", 0, 8, signed=False, kind="int", source="unsigned"),
    )
}


def get(name: str | Format) -> Format:
    """The format of that name (any case); a Format is returned as it is.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    if isinstance(name, Format):
        return name
    try:
        return FORMATS[name.lower()]
    except (KeyError, AttributeError):
        raise ValueError(f"format={name!r}: expected one of {', '.join(FORMATS)}") from None
