"""Models by the names that the command line takes."""

from __future__ import annotations

import re
from collections.abc import Callable

from fpsim.estimate import ModelShape, Shape, digits, dit, glyphs, pixart_alpha, pixart_sigma, stdit

_FIXED: dict[str, Callable[[], ModelShape]] = {"digits": digits, "glyphs": glyphs}
_IMAGES = {"pixart-alpha": pixart_alpha, "pixart-sigma": pixart_sigma}
NAMES = "digits, glyphs, dit-{s,b,l,xl}/{2,4,8}, pixart-alpha, pixart-sigma or stdit"


def model_shape(name: str, resolution: int, frames: int | None = None) -> Shape:
    """The shape of a model.

    Args:
        name: "digits" and "glyphs" (of one size), "dit-s/2" ... "dit-xl/8", "pixart-alpha", "pixart-sigma" or
            "stdit".
        resolution: side of an image in pixels.
        frames: frames of a video (stdit), 16 if None.

    Raises:
        ValueError: an unknown name, a resolution that does not fit, frames of a model of images.
    """
    model = name.lower()
    if model == "stdit":
        return stdit(resolution) if frames is None else stdit(resolution, frames)
    if frames is not None:
        raise ValueError(f"frames={frames}: expected none for model={name!r}, only stdit makes videos")
    if model in _FIXED:
        return _FIXED[model]()
    if model in _IMAGES:
        return _IMAGES[model](resolution)
    match = re.fullmatch(r"dit-(s|b|l|xl)/([248])", model)
    if match is None:
        raise ValueError(f"model={name!r}: expected {NAMES}")
    return dit(match[1].upper(), int(match[2]), resolution)
