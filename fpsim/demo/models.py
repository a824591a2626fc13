"""Models by the names that the command line takes."""

from __future__ import annotations

import re

from fpsim.estimate import ModelShape, digits, dit


def model_shape(name: str, resolution: int) -> ModelShape:
    """The shape of "digits" (of one size), or of "dit-s/2" ... "dit-xl/8" at a resolution in pixels.

    Raises:
        ValueError: an unknown name or a resolution that does not fit.
    """
    if name == "digits":
        return digits()
    match = re.fullmatch(r"dit-(s|b|l|xl)/(\d)", name.lower())
    if match is None:
        raise ValueError(f"model={name!r}: expected digits, or dit-{{s,b,l,xl}}/{{2,4,8}}")
    return dit(match[1].upper(), int(match[2]), resolution)
